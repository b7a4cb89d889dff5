// Calls as hosts of plain C give them, and tapes in their memory: the same bits as by the backend.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "api/planner.hpp"
#include "base/threads.hpp"
#include "doors/flat_tape.hpp"
#include "sequences.hpp"

namespace rnnfast {
namespace {

using testing::is_refused;
using testing::Sequences;

constexpr Dims small = {7, 3, 4, 5};

/// Sequences as a flat call of them.
template <class T>
struct Flat {
  Sequences<T>& of;
  std::vector<std::int32_t> lengths;
  Axes axes = Axes::time_first;
  Direction direction = Direction::forward;

  Operands operands() {
    Operands all;
    all[Operand::x] = of.x.data();
    all[Operand::h0] = of.h0.data();
    all[Operand::c0] = of.data(of.c0);
    for (int i = 0; i < weight_count; ++i) {
      all[static_cast<Operand>(static_cast<int>(Operand::w_ih) + i)] = of.data(of.weights[i]);
    }
    if (!lengths.empty()) all[Operand::lengths] = lengths.data();
    if (!of.resets.empty()) all[Operand::resets] = of.resets.data();
    all[Operand::mask] = of.data(of.mask);
    return all;
  }

  PlannedCall planned(Purpose purpose) {
    FlatCall call = {of.cell, testing::scalar_type<T>, of.dims, axes, direction, of.truncate};
    for (std::size_t i = 0; i < operand_count; ++i) call.has.all[i] = operands().all[i] != nullptr;
    return {call, plan_flat(purpose, call)};
  }

  FlatResults results() { return {of.y.data(), of.h_n.data(), of.data(of.c_n)}; }

  void forward() {
    const PlannedCall planned = this->planned(Purpose::inference);
    forward_flat(planned.call, planned.plan, operands(), results());
  }

  /// A tape so many bytes behind the beginning of a cache line.
  std::vector<char> forward_saving(std::size_t behind, Purpose purpose = Purpose::training) {
    const PlannedCall planned = this->planned(purpose);
    std::vector<char> memory(flat_tape_bytes(planned) + 2 * cache_line);
    forward_saving_flat(planned, operands(), results(), at(memory, behind));
    return memory;
  }

  static std::span<char> at(std::vector<char>& memory, std::size_t behind) {
    const std::size_t first = reinterpret_cast<std::uintptr_t>(memory.data()) % cache_line;
    const std::size_t begin = cache_line - first + behind;
    return std::span(memory).subspan(begin, memory.size() - 2 * cache_line);
  }

  Sequences<T> gradients(std::span<const char> memory) {
    Sequences<T> found = of;
    OperandGradients out;
    out[Operand::x] = found.x.data();
    out[Operand::h0] = found.h0.data();
    out[Operand::c0] = found.data(found.c0);
    for (int i = 0; i < weight_count; ++i) {
      out[static_cast<Operand>(static_cast<int>(Operand::w_ih) + i)] = found.data(found.weights[i]);
    }
    backward_flat(read_flat_tape(memory), operands(),
                  {of.dy.data(), of.dh_n.data(), of.data(of.dc_n)}, out);
    return found;
  }
};

template <class T>
bool same_gradients(Sequences<T> a, Sequences<T> b) {
  for (std::size_t i = 0; i < a.arguments().size(); ++i) {
    if (*a.arguments()[i] != *b.arguments()[i]) return false;
  }
  return true;
}

TEST(flat_calls_are_calls_of_the_backend) {
  for (const KnownCell& known : known_cells()) {
    for (const Purpose purpose : {Purpose::training, Purpose::training_with_checkpoints}) {
      Sequences<float> of(known.chosen ? testing::choosing(known) : CellSpec(known.name), small);
      of.resets.assign(static_cast<std::size_t>(small.steps * small.rows), 0);
      of.resets[4] = 1;
      if (known.traits.norm_rows == 0) of.mask = of.dh_n;
      of.truncate = 3;
      Flat<float> flat{of, {}};
      flat.forward();
      const std::vector<float> y = of.y;
      const Tape tape = of.forward_saving(purpose);
      CHECK(of.y == y, "%s: forward", known.name);
      const Sequences<float> expected = of.gradients(tape);
      std::vector<char> memory = flat.forward_saving(8, purpose);
      CHECK(of.y == y, "%s: forward, saving", known.name);
      CHECK(same_gradients(flat.gradients(flat.at(memory, 8)), expected), "%s: backward",
            known.name);
    }
  }
}

/// A (T, B, n) array as (B, T, n), the last step first.
template <class T>
std::vector<T> turned(const std::vector<T>& array, const Dims& dims) {
  std::vector<T> other(array.size());
  const auto width = static_cast<index>(array.size()) / (dims.steps * dims.rows);
  for (index t = 0; t < dims.steps; ++t) {
    for (index b = 0; b < dims.rows; ++b) {
      std::copy_n(array.begin() + (t * dims.rows + b) * width, width,
                  other.begin() + (b * dims.steps + dims.steps - 1 - t) * width);
    }
  }
  return other;
}

TEST(axes_and_direction_are_views) {
  Sequences<double> of(CellSpec("gru"), small);
  const Sequences<double> expected = of.gradients(of.forward_saving());
  const std::vector<double> y = of.y;
  of.x = turned(of.x, small);
  of.dy = turned(of.dy, small);
  Flat<double> flat{of, {}, Axes::batch_first, Direction::reverse};
  std::vector<char> memory = flat.forward_saving(0);
  CHECK(of.y == turned(y, small), "y");
  Sequences<double> found = flat.gradients(flat.at(memory, 0));
  CHECK(found.x == turned(expected.x, small), "dx");
  found.x = expected.x;
  CHECK(same_gradients(found, expected), "the others");
}

/// Each sequence as if it ran alone, also where none takes all steps.
void check_lengths(const Dims& dims, Direction direction) {
  Sequences<float> of(CellSpec("lstm"), dims);
  Flat<float> flat{of, {}, Axes::time_first, direction};
  for (index b = 0; b < dims.rows; ++b) flat.lengths.push_back(static_cast<std::int32_t>(4 - b));
  std::vector<char> memory = flat.forward_saving(24);
  const Sequences<float> found = flat.gradients(flat.at(memory, 24));
  const index states = dims.units;
  for (index b = 0; b < dims.rows; ++b) {
    const index length = flat.lengths[static_cast<std::size_t>(b)];
    const auto of_step = [&](const std::vector<float>& array, index t, index width) {
      const auto at = array.begin() + (t * dims.rows + b) * width;
      return std::vector<float>(at, at + width);
    };
    for (index t = length; t < dims.steps; ++t) {
      CHECK(of_step(of.y, t, states) == std::vector<float>(5, 0), "y of an idle step");
      CHECK(of_step(found.x, t, dims.inputs) == std::vector<float>(4, 0), "dx of an idle step");
    }
    const auto row = [&](const std::vector<float>& array) { return of_step(array, 0, states); };
    if (length == 0) {
      CHECK(row(of.h_n) == row(of.h0) && row(found.h0) == row(of.dh_n), "carried");
      continue;
    }
    Sequences<float> alone(of.cell, {length, 1, dims.inputs, dims.units});
    for (int i = 0; i < weight_count; ++i) alone.weights[i] = of.weights[i];
    alone.h0 = row(of.h0);
    alone.c0 = row(of.c0);
    alone.dh_n = row(of.dh_n);
    alone.dc_n = row(of.dc_n);
    for (index t = 0; t < length; ++t) {
      const index place = direction == Direction::reverse ? length - 1 - t : t;
      std::ranges::copy(of_step(of.x, t, dims.inputs), alone.x.begin() + place * dims.inputs);
      std::ranges::copy(of_step(of.dy, t, states), alone.dy.begin() + place * states);
    }
    const Sequences<float> own = alone.gradients(alone.forward_saving());
    CHECK(alone.h_n == row(of.h_n) && alone.c_n == row(of.c_n), "h_n of length %d",
          static_cast<int>(length));
    CHECK(own.h0 == row(found.h0) && own.c0 == row(found.c0), "dh0");
    for (index t = 0; t < length; ++t) {
      const index place = direction == Direction::reverse ? length - 1 - t : t;
      const auto at = own.x.begin() + place * dims.inputs;
      CHECK(of_step(found.x, t, dims.inputs) == std::vector<float>(at, at + dims.inputs), "dx");
    }
  }
}

TEST(sequences_of_any_length_run_as_if_alone) {
  for (const Direction direction : {Direction::forward, Direction::reverse}) {
    check_lengths({9, 5, 4, 5}, direction);
    check_lengths({64, 1, 4, 5}, direction);
    for (const Partition partition : {Partition::rows, Partition::units}) {
      ForcedPlan forced;
      forced.partition = partition;
      forced.threads = 2;
      forced.chunk_steps = 2;
      forced.interleaves_input = true;
      force_plan(forced);
      check_lengths({9, 5, 4, 5}, direction);
      check_lengths({64, 1, 4, 5}, direction);
      force_plan({});
    }
  }
}

TEST(gradients_of_sequences_add_up) {
  Sequences<double> of(CellSpec("lstm"), small);
  Flat<double> flat{of, {7, 2, 5}};
  std::vector<char> memory = flat.forward_saving(0);
  const Sequences<double> sums = flat.gradients(flat.at(memory, 0));
  const std::size_t size = of.weights[1].size();
  std::vector<double> each(size * static_cast<std::size_t>(small.rows));
  OperandGradients out;
  out[Operand::w_hh] = each.data();
  const FlatTape tape = read_flat_tape(flat.at(memory, 0));
  CHECK(gradient_bytes_of(tape.made.call, Operand::w_hh, GradientsOf::sequences) ==
            each.size() * sizeof(double),
        "bytes");
  backward_flat(tape, flat.operands(), {of.dy.data(), of.dh_n.data(), of.dc_n.data()}, out,
                GradientsOf::sequences);
  for (std::size_t i = 0; i < size; ++i) {
    const double sum = each[i] + each[size + i] + each[2 * size + i];
    CHECK(std::abs(sum - sums.weights[1][i]) < 1e-12, "number %d", static_cast<int>(i));
  }
}

TEST(a_plan_ahead_is_for_all_threads_that_there_are) {
  Sequences<float> of(CellSpec("lstm"), {6, 64, 64, 256});
  Flat<float> flat{of, {}};
  const FlatCall call = flat.planned(Purpose::training).call;
  const int before = chosen_threads();
  choose_threads(1);
  CHECK(plan_flat_ahead(Purpose::training, call).segment.threads == 1, "one");
  choose_threads(before);
}

TEST(a_tape_may_be_moved) {
  Sequences<float> of(CellSpec("lstm_norm"), small);
  Flat<float> flat{of, {7, 2, 5}};
  std::vector<char> memory = flat.forward_saving(0);
  const std::span<char> there = flat.at(memory, 0);
  const Sequences<float> expected = flat.gradients(there);
  for (const std::size_t behind : {std::size_t{1}, std::size_t{40}}) {
    std::vector<char> moved(memory.size());
    std::ranges::copy(there, flat.at(moved, behind).begin());
    CHECK(same_gradients(flat.gradients(flat.at(moved, behind)), expected), "by %d bytes",
          static_cast<int>(behind));
  }
}

TEST(a_damaged_tape_is_refused) {
  Sequences<float> of(CellSpec("gru"), small);
  Flat<float> flat{of, {7, 2, 5}};
  std::vector<char> memory = flat.forward_saving(0);
  const std::span<char> tape = flat.at(memory, 0);
  const auto refuses = [&](std::span<const char> bytes) {
    return is_refused([&] { read_flat_tape(bytes); });
  };
  CHECK(!refuses(tape), "as it was");
  CHECK(refuses({}), "none");
  CHECK(refuses(tape.first(tape.size() - cache_line - 1)), "shorter");
  const std::size_t header = (planned_word_count + 3) * sizeof(std::int64_t);
  for (std::size_t i = 0; i < header + 3 * sizeof(SequenceRow); i += 5) {
    tape[i] = static_cast<char>(tape[i] ^ 4);
    CHECK(refuses(tape), "byte %d", static_cast<int>(i));
    tape[i] = static_cast<char>(tape[i] ^ 4);
  }
  std::ranges::fill(tape, 0);
  CHECK(refuses(tape), "zeros");
}

TEST(words_say_what_call_it_is) {
  for (const KnownCell& known : known_cells()) {
    if (!known.chosen) continue;
    Sequences<float> of(testing::choosing(known), small);
    Flat<float> flat{of, {1, 2, 3}, Axes::batch_first, Direction::reverse};
    of.truncate = 2;
    const Words words = words_of(flat.planned(Purpose::training));
    CHECK(words.size() == planned_word_count, "as many as are told");
    const PlannedCall read = planned_call_from(words);
    CHECK(words_of(read) == words, "%s", known.name);
    CHECK(words_of(cell_from(words_of(of.cell))) == words_of(of.cell), "%s", known.name);
    Words other = words;
    other[5] ^= 1;
    CHECK(is_refused([&] { planned_call_from(other); }), "another number");
    CHECK(is_refused([&] { planned_call_from(words_of(of.cell)); }), "a cell alone");
  }
}

TEST(lengths_that_are_none_are_refused) {
  Sequences<float> of(CellSpec("gru"), small);
  for (const std::int32_t length : {-1, 8}) {
    Flat<float> flat{of, {1, length, 2}};
    CHECK(is_refused([&] { flat.forward(); }), "%d", length);
  }
}

TEST(an_empty_flat_call_carries_states_through) {
  Sequences<float> of(CellSpec("lstm"), small);
  of.dims.steps = 0;
  Flat<float> flat{of, {}};
  std::vector<char> memory = flat.forward_saving(0);
  CHECK(of.h_n == of.h0 && of.c_n == of.c0, "forward");
  const Sequences<float> found = flat.gradients(flat.at(memory, 0));
  CHECK(found.h0 == of.dh_n && found.c0 == of.dc_n, "backward");
  CHECK(std::ranges::count(found.weights[1], 0.0F) == static_cast<index>(found.weights[1].size()),
        "no terms");
}

}  // namespace
}  // namespace rnnfast
