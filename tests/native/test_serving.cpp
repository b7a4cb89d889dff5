// Sessions and pools without Python: the bits of whole sequences, whoever steps beside them, and
// nothing asked of the system meanwhile.
#include <cstring>

#include "sequences.hpp"
#include "serving/pool.hpp"
#include "serving/session.hpp"

#if defined(__linux__)
#include <dlfcn.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#endif
#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif
#if __has_feature(realtime_sanitizer)
#define RNNFAST_REALTIME [[clang::nonblocking]]
#else
#define RNNFAST_REALTIME
#endif

namespace rnnfast {
namespace {

using testing::choosing;
using testing::is_refused;
using testing::Sequences;

/// One row of many steps, from a state of zero: more than are taken at once.
template <class T>
Sequences<T> stream_of(const CellSpec& cell, Dims dims) {
  Sequences<T> of(cell, dims);
  std::fill(of.h0.begin(), of.h0.end(), T{0});
  std::fill(of.c0.begin(), of.c0.end(), T{0});
  return of;
}

template <class T>
std::shared_ptr<const Model> model_of(std::vector<Sequences<T>>& layers, Kept kept = {},
                                      StorageType storage = storage_of(testing::scalar_type<T>)) {
  std::vector<ServedLayer> packed;
  for (Sequences<T>& layer : layers) {
    packed.push_back({cpu_backend().pack(layer.given(), storage), kept});
  }
  return std::make_shared<const Model>(std::move(packed));
}

template <class T>
std::shared_ptr<const Model> model_of(const Sequences<T>& layer, Kept kept = {}) {
  std::vector<Sequences<T>> one = {layer};
  return model_of(one, kept);
}

template <class T>
const T* row(const std::vector<T>& array, index number, index width) {
  return array.data() + number * width;
}

template <class T>
std::vector<T> stepped(Session& session, const std::vector<T>& x, index steps) {
  const index inputs = session.model().inputs();
  const index outputs = session.model().outputs();
  std::vector<T> y(static_cast<std::size_t>(steps * outputs));
  for (index t = 0; t < steps; ++t) session.step(row(x, t, inputs), y.data() + t * outputs);
  return y;
}

template <class T>
std::vector<T> run_at_once(Session& session, const std::vector<T>& x, index steps) {
  const index outputs = session.model().outputs();
  std::vector<T> y(static_cast<std::size_t>(steps * outputs));
  session.run(steps, {x.data(), session.model().inputs(), 0}, {y.data(), outputs, 0});
  return y;
}

template <class T>
void check_cell(const CellSpec& cell, const Dims& dims) {
  Sequences<T> whole = stream_of<T>(cell, dims);
  whole.forward();
  const auto model = model_of(whole);
  Session session(model);
  CHECK(stepped(session, whole.x, dims.steps) == whole.y, "%s, step by step", cell.name());
  const States<void> state = session.state(0);
  CHECK(std::memcmp(state.h, whole.h_n.data(), whole.h_n.size() * sizeof(T)) == 0, "h");
  CHECK(!state.c == whole.c_n.empty(), "whether there is a c");
  CHECK(!state.c || std::memcmp(state.c, whole.c_n.data(), whole.c_n.size() * sizeof(T)) == 0, "c");
  session.reset();
  CHECK(run_at_once(session, whole.x, dims.steps) == whole.y, "%s, at once", cell.name());
}

template <class T>
void check_cells() {
  for (const KnownCell& known : known_cells()) {
    const CellSpec cell = known.fixed ? CellSpec(known.name) : choosing(known);
    for (const index units : {1, 16, 67}) {
      for (const index steps : {1, 47}) check_cell<T>(cell, {steps, 1, 9, units});
    }
    if (known.traits.may_project) check_cell<T>(cell, {23, 1, 5, 33, 20});
  }
}

TEST(a_session_has_the_bits_of_the_whole_sequence) {
  check_cells<float>();
  check_cells<double>();
}

void check_storage(const CellSpec& cell, const Dims& dims, StorageType storage) {
  Sequences<float> whole = stream_of<float>(cell, dims);
  Packed packed = cpu_backend().pack(whole.given(), storage);
  const CallPlan plan = cpu_backend().plan(
      Purpose::inference, cell, Precision(ScalarType::float32, storage), whole.call().sizes());
  cpu_backend().forward(packed, whole.call(), plan);
  std::vector<ServedLayer> one;
  one.emplace_back(std::move(packed));
  const auto model = std::make_shared<const Model>(std::move(one));
  Session session(model);
  CHECK(stepped(session, whole.x, dims.steps) == whole.y, "%s step by step in %s", cell.name(),
        name_of(storage));
  session.reset();
  CHECK(run_at_once(session, whole.x, dims.steps) == whole.y, "%s at once in %s", cell.name(),
        name_of(storage));
}

TEST(shorter_weights_give_the_bits_of_their_whole_sequence) {
  for (const StorageType storage : {StorageType::bfloat16, StorageType::float16}) {
    for (const KnownCell& known : known_cells()) {
      const CellSpec cell = known.fixed ? CellSpec(known.name) : choosing(known);
      for (const index units : {1, 67}) check_storage(cell, {47, 1, 9, units}, storage);
      if (known.traits.may_project) check_storage(cell, {23, 1, 5, 33, 21}, storage);
    }
  }
  for (const char* const bounded : {"lstm", "gru", "gru_reset_before", "rnn_tanh"}) {
    for (const index units : {1, 67}) {
      check_storage(CellSpec(bounded), {47, 1, 9, units}, StorageType::int8);
    }
  }
}

TEST(states_that_bytes_do_not_hold_are_refused) {
  Sequences<float> whole = stream_of<float>(CellSpec("gru"), {2, 1, 3, 2});
  const ServedLayer bytes(cpu_backend().pack(whole.given(), StorageType::int8));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float within[] = {-1, nan};
  const float beyond[] = {0, 1.5F};
  bytes.require_state(within);
  CHECK(is_refused([&] { bytes.require_state(beyond); }), "beyond 1");
  ServedLayer(cpu_backend().pack(whole.given())).require_state(beyond);
}

/// Has most lines of W_hh zero, and some in no run of k at all.
template <class T>
void make_sparse(Sequences<T>& layer) {
  std::vector<T>& w = layer.weights[static_cast<int>(WeightId::w_hh)];
  const index outputs = outputs_of(layer.dims);
  for (std::size_t i = 0; i < w.size(); ++i) {
    const index row = static_cast<index>(i) / outputs;
    const index k = static_cast<index>(i) % outputs;
    if ((row / 16 + k) % 5 != 0 || row / 16 == 1) w[i] = 0;
  }
}

template <class T>
void check_sparse(const CellSpec& cell, const Dims& dims) {
  Sequences<T> dense = stream_of<T>(cell, dims);
  make_sparse(dense);
  dense.forward();
  std::vector<Sequences<T>> one = {dense};
  const auto model = model_of(one, {}, StorageType::sparse);
  Session session(model);
  CHECK(stepped(session, dense.x, dims.steps) == dense.y, "%s H=%d step by step", cell.name(),
        static_cast<int>(dims.units));
  session.reset();
  CHECK(run_at_once(session, dense.x, dims.steps) == dense.y, "%s H=%d at once", cell.name(),
        static_cast<int>(dims.units));
}

TEST(sparse_weights_give_what_dense_ones_do) {
  for (const KnownCell& known : known_cells()) {
    const CellSpec cell = known.fixed ? CellSpec(known.name) : choosing(known);
    if (!known.sparse) {
      Sequences<float> of = stream_of<float>(cell, {3, 1, 2, 20});
      CHECK(is_refused([&] { cpu_backend().pack(of.given(), StorageType::sparse); }), "%s",
            known.name);
      continue;
    }
    for (const index units : {1, 31, 67, 200}) {
      check_sparse<float>(cell, {25, 1, 9, units});
      check_sparse<double>(cell, {25, 1, 9, units});
    }
    if (known.traits.may_project) check_sparse<float>(cell, {23, 1, 5, 33, 21});
  }
}

/// An LSTM with a projection under a GRU of other sizes.
std::vector<Sequences<float>> two_layers(index steps) {
  std::vector<Sequences<float>> layers = {stream_of<float>(CellSpec("lstm"), {steps, 1, 7, 40, 24}),
                                          stream_of<float>(CellSpec("gru"), {steps, 1, 24, 35})};
  layers[0].forward();
  layers[1].x = layers[0].y;
  layers[1].forward();
  return layers;
}

TEST(layers_of_other_cells_and_sizes_follow_each_other) {
  constexpr index steps = 45;
  std::vector<Sequences<float>> layers = two_layers(steps);
  Session session(model_of(layers));
  CHECK(stepped(session, layers[0].x, steps) == layers[1].y, "step by step");
  CHECK(std::memcmp(session.state(1).h, layers[1].h_n.data(), 35 * sizeof(float)) == 0, "h");
  session.reset();
  CHECK(run_at_once(session, layers[0].x, steps) == layers[1].y, "at once");
}

TEST(rows_of_a_session_may_lie_apart) {
  constexpr Dims dims = {30, 1, 6, 20};
  Sequences<float> whole = stream_of<float>(CellSpec("gru"), dims);
  whole.forward();
  Session session(model_of(whole));
  constexpr index apart = 25;
  std::vector<float> x(dims.steps * apart, -7);
  std::vector<float> y(dims.steps * apart, -7);
  for (index t = 0; t < dims.steps; ++t) {
    std::copy_n(row(whole.x, t, dims.inputs), dims.inputs, x.data() + t * apart);
  }
  session.run(dims.steps, {x.data(), apart, 0}, {y.data(), apart, 0});
  for (index t = 0; t < dims.steps; ++t) {
    CHECK(
        std::equal(row(whole.y, t, dims.units), row(whole.y, t + 1, dims.units), row(y, t, apart)),
        "step %d", static_cast<int>(t));
    CHECK(y[static_cast<std::size_t>(t * apart + dims.units)] == -7, "written beyond its row");
  }
}

TEST(what_is_kept_is_zoneout_of_the_mean) {
  constexpr Dims dims = {25, 1, 6, 18};
  Sequences<double> whole = stream_of<double>(CellSpec("lstm"), dims);
  whole.kept_h.assign(whole.y.size(), 0.25);
  whole.kept_c.assign(whole.y.size(), 0.5);
  whole.forward();
  Session session(model_of(whole, {0.25, 0.5}));
  CHECK(stepped(session, whole.x, dims.steps) == whole.y, "step by step");
  session.reset();
  CHECK(run_at_once(session, whole.x, dims.steps) == whole.y, "at once");
}

TEST(models_that_cannot_be_are_refused) {
  CHECK(is_refused([] { Model({}); }), "no layer");
  std::vector<Sequences<float>> layers = two_layers(2);
  std::vector<Sequences<float>> swapped = {layers[1], layers[0]};
  CHECK(is_refused([&] { model_of(swapped); }), "other inputs than the layer below gives");
  Sequences<double> twice(CellSpec("gru"), {1, 1, 35, 4});
  std::vector<ServedLayer> mixed;
  mixed.push_back({cpu_backend().pack(layers[0].given())});
  mixed.push_back({cpu_backend().pack(twice.given())});
  CHECK(is_refused([&] { Model(std::move(mixed)); }), "other numbers");
  CHECK(is_refused([&] { Pool(model_of(twice), 0); }), "no capacity");
}

/// What each of some streams gives, and what it is given.
struct Streaming {
  std::vector<Sequences<float>> alone;
  std::vector<index> taken;  // steps so far
  std::vector<index> ids;
};

Streaming open_streams(Pool& pool, const Sequences<float>& model, index count) {
  Streaming all;
  testing::Random random;
  for (index i = 0; i < count; ++i) {
    Sequences<float> stream = model;
    stream.x = random.vector<float>(static_cast<index>(model.x.size()));
    stream.forward();
    all.alone.push_back(stream);
    all.taken.push_back(0);
    all.ids.push_back(pool.open());
  }
  return all;
}

/// Steps some of them, in an order, and compares with each alone.
void step_some(Pool& pool, Streaming& all, const std::vector<std::size_t>& some) {
  const Dims& dims = all.alone[0].dims;
  const auto count = static_cast<index>(some.size());
  const index width = outputs_of(dims);
  std::vector<index> ids;
  std::vector<float> x;
  std::vector<float> y(static_cast<std::size_t>(count * width));
  for (const std::size_t i : some) {
    ids.push_back(all.ids[i]);
    const float* const own = row(all.alone[i].x, all.taken[i], dims.inputs);
    x.insert(x.end(), own, own + dims.inputs);
  }
  const PoolStep done =
      pool.step(ids.data(), count, {x.data(), 0, dims.inputs}, {y.data(), 0, width});
  CHECK(done.outcome == PoolStep::done, "refused");
  for (index r = 0; r < count; ++r) {
    const std::size_t i = some[static_cast<std::size_t>(r)];
    const float* const wanted = row(all.alone[i].y, all.taken[i]++, width);
    CHECK(std::equal(wanted, wanted + width, row(y, r, width)), "stream %d of %d",
          static_cast<int>(i), static_cast<int>(count));
  }
}

void check_pool(const CellSpec& cell, Dims dims, index capacity) {
  const Sequences<float> model = stream_of<float>(cell, dims);
  Pool pool(model_of(model), capacity);
  Streaming all = open_streams(pool, model, capacity);
  CHECK(pool.size() == capacity && pool.open() < 0, "full");
  std::vector<std::size_t> some(static_cast<std::size_t>(capacity));
  for (std::size_t i = 0; i < some.size(); ++i) some[i] = i;
  step_some(pool, all, some);
  std::reverse(some.begin(), some.end());
  step_some(pool, all, some);
  for (index t = 2; t < dims.steps; ++t) {  // ever fewer, from here and from there
    std::rotate(some.begin(), some.begin() + static_cast<index>(some.size()) / 3, some.end());
    some.resize(some.size() - some.size() / 4);
    step_some(pool, all, some);
  }
  step_some(pool, all, {});
}

TEST(sessions_of_a_pool_have_the_bits_of_sessions_alone) {
  for (const KnownCell& known : known_cells()) {
    const CellSpec cell = known.fixed ? CellSpec(known.name) : choosing(known);
    check_pool(cell, {8, 1, 5, 19}, 13);
  }
  check_pool(CellSpec("lstm"), {8, 1, 5, 40, 24}, 9);
  check_pool(CellSpec("gru"), {6, 1, 3, 16}, 1);
  check_pool(CellSpec("lstm"), {9, 1, 3, 16}, 250);  // more than are taken at once
}

/// Runs all of them, each for as many steps as it has a length, and compares with each alone.
void run_all(Pool& pool, Streaming& all, index steps, const std::vector<index>& lengths) {
  const Dims& dims = all.alone[0].dims;
  const auto count = static_cast<index>(all.ids.size());
  const index I = dims.inputs;
  const index R = outputs_of(dims);
  std::vector<float> x(static_cast<std::size_t>(steps * count * I),
                       std::numeric_limits<float>::quiet_NaN());  // where none is taken
  std::vector<float> y(static_cast<std::size_t>(steps * count * R), -7);
  const auto length = [&](index i) {
    return lengths.empty() ? steps : lengths[static_cast<std::size_t>(i)];
  };
  for (index i = 0; i < count; ++i) {
    const auto number = static_cast<std::size_t>(i);
    for (index t = 0; t < length(i); ++t) {
      std::copy_n(row(all.alone[number].x, all.taken[number] + t, I), I,
                  x.data() + (t * count + i) * I);
    }
  }
  const PoolStep done = pool.run(all.ids.data(), count,
                                 {steps,
                                  {x.data(), count * I, I},
                                  {y.data(), count * R, R},
                                  lengths.empty() ? nullptr : lengths.data()});
  CHECK(done.outcome == PoolStep::done, "refused");
  const std::vector<float> none(static_cast<std::size_t>(R));
  for (index i = 0; i < count; ++i) {
    const auto number = static_cast<std::size_t>(i);
    for (index t = 0; t < steps; ++t) {
      const float* const wanted =
          t < length(i) ? row(all.alone[number].y, all.taken[number] + t, R) : none.data();
      CHECK(std::equal(wanted, wanted + R, row(y, t * count + i, R)), "stream %d of %d, step %d",
            static_cast<int>(i), static_cast<int>(count), static_cast<int>(t));
    }
    all.taken[number] += length(i);
  }
}

/// Of streams of dims.steps, the last dims.steps - 30 at once: more than a pool takes at a time, or
/// few enough for cells whose h grows.
void check_run(const CellSpec& cell, const Dims& dims, index count) {
  const Sequences<float> model = stream_of<float>(cell, dims);
  Pool pool(model_of(model), count + 3);
  pool.open();
  Streaming all = open_streams(pool, model, count);
  run_all(pool, all, 13, {});
  std::vector<index> lengths;
  for (index i = 0; i < count; ++i) lengths.push_back(i * 7 % 14);
  run_all(pool, all, 13, lengths);
  std::vector<std::size_t> first_and_last = {all.ids.size() - 1};
  if (count > 1) first_and_last.push_back(0);
  step_some(pool, all, first_and_last);
  run_all(pool, all, dims.steps - 30, {});
  run_all(pool, all, 0, {});
  run_all(pool, all, 5, std::vector<index>(all.ids.size(), 0));
  run_all(pool, all, 1, std::vector<index>(all.ids.size(), 1));
}

TEST(runs_of_a_pool_have_the_bits_of_sessions_alone) {
  for (const index count : {1, 2, 5, 30, 130}) check_run(CellSpec("gru"), {140, 1, 3, 16}, count);
  for (const KnownCell& known : known_cells()) {
    check_run(known.fixed ? CellSpec(known.name) : choosing(known), {50, 1, 5, 19}, 7);
  }
  check_run(CellSpec("lstm"), {50, 1, 5, 40, 24}, 9);
}

TEST(lengths_that_cannot_be_change_nothing) {
  const Sequences<float> model = stream_of<float>(CellSpec("gru"), {9, 1, 5, 19});
  Pool pool(model_of(model), 3);
  Streaming all = open_streams(pool, model, 2);
  const std::vector<float> x(2 * 4 * 5);
  std::vector<float> y(2 * 4 * 19, -7);
  for (const index wrong : {index{-1}, index{5}}) {
    const index lengths[] = {2, wrong};
    const PoolStep refused =
        pool.run(all.ids.data(), 2, {4, {x.data(), 10, 5}, {y.data(), 38, 19}, lengths});
    CHECK(refused.outcome == PoolStep::no_length && refused.at == 1, "%d", static_cast<int>(wrong));
  }
  CHECK(std::count(y.begin(), y.end(), -7.0F) == 2 * 4 * 19, "something was written");
  run_all(pool, all, 9, {});
}

TEST(layers_of_a_pool_follow_each_other) {
  constexpr index steps = 6;
  std::vector<Sequences<float>> layers = two_layers(steps);
  Pool pool(model_of(layers), 5);
  pool.open();
  const index id = pool.open();
  std::vector<float> y(35);
  for (index t = 0; t < steps; ++t) {
    pool.step(&id, 1, {row(layers[0].x, t, 7), 0, 0}, {y.data(), 0, 0});
    CHECK(std::equal(y.begin(), y.end(), row(layers[1].y, t, 35)), "step %d", static_cast<int>(t));
  }
  const index again[] = {pool.open(), pool.open()};
  std::vector<float> x;
  std::vector<float> both(2 * steps * 35);
  for (index t = 0; t < steps; ++t) {
    for (int i = 0; i < 2; ++i) {
      x.insert(x.end(), row(layers[0].x, t, 7), row(layers[0].x, t + 1, 7));
    }
  }
  const index lengths[] = {3, steps};
  pool.run(again, 2, {steps, {x.data(), 14, 7}, {both.data(), 70, 35}, lengths});
  for (index t = 0; t < steps; ++t) {
    CHECK(
        std::equal(row(layers[1].y, t, 35), row(layers[1].y, t + 1, 35), row(both, 2 * t + 1, 35)),
        "step %d of a run", static_cast<int>(t));
  }
  CHECK(std::memcmp(pool.state(0, id).c, layers[0].c_n.data(), 40 * sizeof(float)) == 0, "c");
}

TEST(a_session_that_is_not_a_number_leaves_others_alone) {
  const Sequences<float> model = stream_of<float>(CellSpec("lstm"), {4, 1, 5, 19});
  Pool pool(model_of(model), 8);
  Streaming all = open_streams(pool, model, 8);
  const index spoilt = all.ids[3];
  std::fill_n(static_cast<float*>(pool.state(0, spoilt).h), 19,
              std::numeric_limits<float>::quiet_NaN());
  std::vector<float> x(5);
  std::vector<float> y(19);
  pool.step(&spoilt, 1, {x.data(), 0, 0}, {y.data(), 0, 0});
  CHECK(y[0] != y[0], "it should be one");
  step_some(pool, all, {0, 1, 2, 4, 5, 6, 7});
  pool.reset(spoilt);
  step_some(pool, all, {7, 3, 0});
}

TEST(ids_that_are_none_are_told_and_change_nothing) {
  const Sequences<float> model = stream_of<float>(CellSpec("gru"), {4, 1, 5, 19});
  Pool pool(model_of(model), 3);
  Streaming all = open_streams(pool, model, 2);
  std::vector<float> x(3 * 5);
  std::vector<float> y(3 * 19, -7);
  const auto outcome = [&](std::vector<index> ids) {
    return pool.step(ids.data(), static_cast<index>(ids.size()), {x.data(), 0, 5},
                     {y.data(), 0, 19});
  };
  const index a = all.ids[0];
  const index b = all.ids[1];
  for (const index none : {index{-1}, index{2}, index{3}, index{1} << 40}) {
    const PoolStep refused = outcome({a, none});
    CHECK(refused.outcome == PoolStep::not_open && refused.at == 1, "%d", static_cast<int>(none));
  }
  const PoolStep again = outcome({a, b, a});
  CHECK(again.outcome == PoolStep::twice && again.at == 2, "twice");
  CHECK(outcome({a, b, a, b}).outcome == PoolStep::twice, "more than there is room for");
  CHECK(std::count(y.begin(), y.end(), -7.0F) == 3 * 19, "something was written");
  step_some(pool, all, {0, 1});
  CHECK(pool.close(a) && !pool.close(a) && pool.size() == 1, "closed once");
  CHECK(outcome({a}).outcome == PoolStep::not_open, "closed");
  const index next = pool.open();
  CHECK(next != a && outcome({a}).outcome == PoolStep::not_open, "an id given twice");
  const auto* const state = static_cast<const float*>(pool.state(0, next).h);
  CHECK(std::count(state, state + 19, 0.0F) == 19, "the state of the one before");
}

TEST(the_mode_of_the_caller_comes_back) {
  const Sequences<float> model = stream_of<float>(CellSpec("lstm"), {1, 1, 5, 19});
  Session session(model_of(model));
  std::vector<float> y(19);
  volatile float tiny = std::numeric_limits<float>::min();
  session.step(model.x.data(), y.data());
  tiny = tiny / 4;
  CHECK(tiny > 0, "subnormal numbers are flushed after a step");
}

// --- what may not be asked of the system ------------------------------------------------------

/// A session of two layers and a pool, with all they read and write.
struct RealTime {
  std::vector<Sequences<float>> layers = two_layers(50);
  std::shared_ptr<const Model> model;
  Session session;
  Pool pool;
  std::vector<index> ids;
  std::vector<float> y = std::vector<float>(100 * 35);
  std::vector<float> x = std::vector<float>(100 * 7, 0.5F);
  std::vector<index> lengths = {1, 3, 0, 2};

  explicit RealTime(StorageType storage)
      : model(model_of(layers, {}, storage)), session(model), pool(model, 100) {
    for (int i = 0; i < 100; ++i) ids.push_back(pool.open());
  }

  void steps() noexcept RNNFAST_REALTIME {
    session.step(layers[0].x.data(), y.data());
    session.run(50, {layers[0].x.data(), 7, 0}, {y.data(), 35, 0});
    pool.step(ids.data(), 100, {x.data(), 0, 7}, {y.data(), 0, 35});
    pool.close(ids[7]);
    ids[7] = pool.open();
    pool.step(ids.data() + 5, 3, {x.data(), 0, 7}, {y.data(), 0, 35});
    pool.run(ids.data(), 4, {3, {x.data(), 28, 7}, {y.data(), 140, 35}});
    pool.run(ids.data(), 4, {3, {x.data(), 28, 7}, {y.data(), 140, 35}, lengths.data()});
    session.reset();
  }
};

constexpr StorageType storages[] = {StorageType::float32, StorageType::sparse};

// What RealtimeSanitizer is shown, where the compiler has it.
TEST(steps_are_for_real_time) {
  for (const StorageType storage : storages) {
    RealTime of(storage);
    of.steps();
    CHECK(of.y[0] == of.y[0], "a number");
  }
}

#if defined(__linux__) && !defined(__SANITIZE_THREAD__) && !__has_feature(thread_sanitizer)
/// How a child ends that takes steps where only reading, writing and its end are allowed.
template <class Body>
int status_without_system_calls(Body&& body) {
  constexpr int unable = 3;
  const pid_t child = fork();
  if (child == 0) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(unable);
    body();
    syscall(SYS_exit, 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == unable ? 0 : status;
}

TEST(steps_make_no_system_call) {
  for (const StorageType storage : storages) {
    RealTime of(storage);
    CHECK(status_without_system_calls([&] { of.steps(); }) == 0, "a step was ended by the system");
  }
}

// tests/serving/test_real_time.py puts a malloc in place of the C library's that counts.
TEST(steps_allocate_nothing) {
  using Count = long (*)();
  const auto count = reinterpret_cast<Count>(dlsym(RTLD_DEFAULT, "allocations_of_this_thread"));
  CHECK(count || !std::getenv("RNNFAST_COUNTS_ALLOCATIONS"), "nothing counts");
  if (!count) return;
  for (const StorageType storage : storages) {
    RealTime of(storage);
    const long before = count();
    of.steps();
    CHECK(count() == before, "%ld allocations in %s", count() - before, name_of(storage));
  }
  const long before = count();
  const std::vector<int> one(1000);
  CHECK(count() > before && one[0] == 0, "an allocation that nobody counts");
}
#endif

}  // namespace
}  // namespace rnnfast
