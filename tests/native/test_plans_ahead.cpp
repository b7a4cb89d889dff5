// Plans made ahead of the data, what tapes and packed weights say of themselves, layers at once,
// and what is refused.
#include <cstring>
#include <stdexcept>

#include "api/planner.hpp"
#include "sequences.hpp"

namespace rnnfast {
namespace {

using testing::is_refused;
using testing::Sequences;

constexpr Dims small = {6, 3, 4, 5};

TEST(a_plan_made_ahead_serves_every_call_of_its_sizes) {
  const CellSpec cell("gru");
  const CallPlan plan = cpu_backend().plan(Purpose::training, cell, ScalarType::float32, {small});
  const std::size_t bytes = cpu_backend().tape_bytes(cell, ScalarType::float32, plan);
  constexpr std::size_t y_bytes = small.steps * small.rows * small.units * sizeof(float);
  for (int i = 0; i < 2; ++i) {
    Sequences<float> of(cell, small);
    of.x[0] = static_cast<float>(i);
    const Tape tape = cpu_backend().forward_saving(of.given(), of.call(), plan);
    CHECK(bytes <= tape.bytes() && bytes > y_bytes, "%d bytes, %d were told",
          static_cast<int>(tape.bytes()), static_cast<int>(bytes));
    const std::vector<float> y = of.y;
    of.forward();
    CHECK(of.y == y, "other results");
  }
}

TEST(a_plan_of_another_call_is_refused) {
  Sequences<float> of(CellSpec("lstm"), small);
  const Backend& backend = cpu_backend();
  const auto refuses = [&](const CallPlan& plan) {
    return is_refused([&] { backend.forward(of.given(), of.call(), plan); });
  };
  const auto plan = [&](const char* cell, ScalarType scalar, const CallSizes& sizes) {
    return backend.plan(Purpose::inference, CellSpec(cell), scalar, sizes);
  };
  CHECK(!refuses(plan("lstm", ScalarType::float32, {small})), "its own");
  CHECK(refuses(plan("gru", ScalarType::float32, {small})), "another cell");
  CHECK(refuses(plan("lstm", ScalarType::float64, {small})), "another scalar");
  CHECK(refuses(plan("lstm", ScalarType::float32, {{7, 3, 4, 5}})), "another T");
  CHECK(refuses(plan("lstm", ScalarType::float32, {{6, 2, 4, 5}})), "another B");
  CHECK(refuses(plan("lstm", ScalarType::float32, {{6, 3, 4, 6}})), "another H");
  CHECK(refuses(plan("lstm", ScalarType::float32, {small, true})), "a mask");
  const CallPlan inference = plan("lstm", ScalarType::float32, {small});
  CHECK(is_refused([&] { backend.forward_saving(of.given(), of.call(), inference); }), "saving");
}

TEST(weights_of_other_sizes_are_refused) {
  Sequences<float> of(CellSpec("lstm"), small);
  Sequences<float> wider(CellSpec("lstm"), {6, 3, 8, 5});
  const Packed packed = cpu_backend().pack(of.given());
  CHECK(is_refused(
            [&] { cpu_backend().forward(packed, wider.call(), wider.plan(Purpose::inference)); }),
        "I=8, packed for 4");
  CHECK(is_refused([&] {
          cpu_backend().forward_saving(of.given(), wider.call(), wider.plan(Purpose::training));
        }),
        "I=8, weights for 4");
}

TEST(headers_say_what_tapes_and_weights_were_made_with) {
  Sequences<double> of(CellSpec("gru"), small);
  const Packed packed = cpu_backend().pack(of.given());
  CHECK(std::strcmp(packed.header().cell.name(), "gru") == 0, "cell");
  CHECK(packed.header().storage == StorageType::float64 && !packed.header().plan, "no plan");
  CHECK(packed.header().target == target().name, "target");
  const Tape tape = of.forward_saving();
  const Header& made = tape.header();
  CHECK(std::strcmp(made.cell.name(), "gru") == 0 && made.target == target().name, "cell");
  CHECK(made.scalar == ScalarType::float64 && made.storage == StorageType::float64, "types");
  CHECK(made.dims.steps == small.steps && made.dims.units == small.units, "sizes");
  CHECK(made.plan && made.plan->purpose == Purpose::training, "purpose");
  CHECK(made.plan && made.plan->segment.rows == small.rows, "plan");
}

TEST(names_that_are_none_are_refused) {
  CHECK(is_refused([] { CellSpec("lstmm"); }), "a cell");
  CHECK(is_refused([] { CellSpec("lstm_peephole"); }), "one that only chooses");
  CHECK(is_refused([] { CellSpec("lstm", {}); }), "no activation");
  CHECK(is_refused([] { activation_named("swish"); }), "an activation");
  CHECK(activation_named("softplus") == ActivationFunction::softplus, "one that is");
}

TEST(what_is_forced_is_planned_and_seen) {
  Sequences<float> of(CellSpec("lstm"), {6, 8, 4, 40});
  of.forward();
  const std::vector<float> y = of.y;
  for (const Partition partition : {Partition::rows, Partition::units}) {
    ForcedPlan forced;
    forced.partition = partition;
    forced.threads = 3;
    force_plan(forced);
    of.forward();
    CHECK(last_plan().segment.partition == partition && last_plan().segment.threads == 3, "%s",
          name_of(partition));
    CHECK(of.y == y, "%s: other bits", name_of(partition));
  }
  ForcedPlan none;
  none.threads = 0;
  CHECK(is_refused([&] { force_plan(none); }), "no threads");
  force_plan({});
}

/// Layers at once, y of each the x of the next, by tapes that give the gradients of single layers.
void check_layers(index directions) {
  const Dims first = {40, 2, 4, 6};
  const StackDims stack = {first, 2, directions};
  const CellSpec cell("lstm");
  const index width = directions * first.units;
  std::vector<float> joint(static_cast<std::size_t>(first.steps * first.rows * width));
  std::vector<Sequences<float>> layers;
  for (index layer = 0; layer < stack.layers; ++layer) {
    for (index i = 0; i < directions; ++i) layers.emplace_back(cell, stack.of(layer));
  }
  ForcedPlan forced;
  forced.pipelines = true;
  forced.threads = 2;
  force_plan(forced);
  const StackPlan plan =
      cpu_backend().plan_layers(Purpose::training, cell, ScalarType::float32, stack);
  CHECK(plan.pipelines && plan.threads == 2, "at once");
  const std::vector<CallPlan> plans =
      cpu_backend().plan_each(Purpose::training, cell, ScalarType::float32, stack, plan);
  CHECK(last_plan().layers.pipelines, "seen");
  LayersCall call = {cell, ScalarType::float32, directions, plan, {}};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto direction = static_cast<index>(i) % directions;
    const auto layer = static_cast<index>(i) / directions;
    Call one = layers[i].call();
    if (layer == 0) {
      one.y = {joint.data() + direction * first.units, first.rows * width, width};
    } else {
      one.x = {joint.data(), first.rows * width, width};
    }
    call.layers.push_back(
        {one, plans[static_cast<std::size_t>(layer)], layers[i].given().arrays, nullptr});
  }
  const std::vector<Tape> tapes = cpu_backend().forward_layers_saving(call);
  const Packed packed = cpu_backend().pack(layers.back().given());
  const std::vector<float> y = layers.back().y;
  call.layers.back().packed = &packed;
  cpu_backend().forward_layers(call);
  CHECK(layers.back().y == y, "packed");
  force_plan({});

  for (std::size_t i = 0; i < layers.size(); ++i) {
    Sequences<float>& layer = layers[i];
    if (static_cast<index>(i) >= directions) layer.x = joint;
    const std::vector<float> h_n = layer.h_n;
    const std::vector<float> c_n = layer.c_n;
    const Tape alone = layer.forward_saving();
    CHECK(layer.h_n == h_n && layer.c_n == c_n, "layer %d", static_cast<int>(i));
    CHECK(layer.gradients(tapes[i]).weights[0] == layer.gradients(alone).weights[0], "its tape");
  }
  const Packed other = cpu_backend().pack(Sequences<float>(CellSpec("gru"), first).given());
  call.layers.front().packed = &other;
  CHECK(is_refused([&] { cpu_backend().forward_layers(call); }), "weights of another cell");
}

TEST(layers_at_once_are_layers_one_by_one) { check_layers(1); }
TEST(directions_at_once_are_directions_one_by_one) { check_layers(2); }

}  // namespace
}  // namespace rnnfast
