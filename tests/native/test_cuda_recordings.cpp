// Passes that come again, recorded and played (cuda/recordings.hpp).
#define RNNFAST_ONE_LANE

#include <functional>

#include "../cuda/way_checks.hpp"
#include "emulation/stream.hpp"

namespace rnnfast {
namespace {

using emulation::EmulatedStream;

/// Graphs are numbers; what happens is written down.
struct Recorder {
  std::string log;
  bool can_record = true;

  template <class Body>
  int record(Body&& body) {
    if (!can_record) throw std::runtime_error("no graphs here");
    log += "record ";
    body();
    return 7;
  }
  void play(int) { log += "play "; }
};

const char address[4] = {};
CallKey key(int number) { return CallKey(address + number); }

TEST(a_pass_is_recorded_when_it_comes_again) {
  Recordings<int> recordings;
  Recorder by;
  const auto run = [&](int number) { recordings.run(key(number), by, [&] { by.log += "body "; }); };
  run(0);
  run(1);
  CHECK(by.log == "body body " && recordings.graphs() == 0, "%s", by.log.c_str());
  run(0);
  run(0);
  CHECK(by.log == "body body record body play play ", "%s", by.log.c_str());
  recordings.forget();
  by.log.clear();
  run(0);
  CHECK(by.log == "body " && recordings.graphs() == 0, "%s", by.log.c_str());
}

TEST(the_pass_that_has_not_come_for_longest_is_forgotten) {
  Recordings<int> recordings(2);
  Recorder by;
  const auto run = [&](int number) { recordings.run(key(number), by, [] {}); };
  for (const int number : {0, 0, 1, 1, 0, 2, 2}) run(number);
  CHECK(recordings.graphs() == 2, "%d graphs", static_cast<int>(recordings.graphs()));
  by.log.clear();
  run(0);
  CHECK(by.log == "play ", "%s", by.log.c_str());
  run(1);
  run(1);
  CHECK(by.log == "play record play ", "%s", by.log.c_str());
}

TEST(where_nothing_can_be_recorded_passes_are_launched) {
  Recordings<int> recordings;
  Recorder by;
  by.can_record = false;
  const auto run = [&] { recordings.run(key(0), by, [&] { by.log += "body "; }); };
  for (int time = 0; time < 3; ++time) run();
  by.can_record = true;
  run();
  CHECK(by.log == "body body body body ", "%s", by.log.c_str());
}

template <class Error>
bool throws(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error&) {
    return true;
  }
  return false;
}

TEST(what_a_pass_throws_is_thrown_and_the_next_one_goes_on) {
  Recordings<int> recordings;
  Recorder by;
  const auto run = [&](auto&& body) { recordings.run(key(0), by, body); };
  const auto out_of_memory = [] { throw std::bad_alloc(); };
  const auto fault = [] { throw std::runtime_error("fault"); };
  CHECK(throws<std::bad_alloc>([&] { run(out_of_memory); }), "at first");
  run([] {});
  CHECK(throws<std::bad_alloc>([&] { run(out_of_memory); }), "recorded");
  CHECK(recordings.graphs() == 0, "one of half a pass");
  run([] {});
  CHECK(recordings.graphs() == 1, "none of a whole one");
  recordings.forget();
  run([] {});
  CHECK(throws<std::runtime_error>([&] { run(fault); }), "launched after that");
}

TEST(graphs_of_passes_give_the_same_bits) {
  check_graphs<EmulatedStream, float, Lstm<Usual, Forget::own>>(CellSpec("lstm"));
  check_graphs<EmulatedStream, Bfloat16, GruNorm<Usual>>(CellSpec("gru_norm"));
  check_graphs<EmulatedStream, double, GruResetBefore<Usual>>(CellSpec("gru_reset_before"));
}

/// A call of everything there is, on a stream that has its graphs.
struct Recorded {
  using Cell = Lstm<ChosenActivations<float>, Forget::own>;

  Sequences<float> of;
  emulation::EmulatedDevice device;
  EmulatedStream stream{device};
  OnDevice<EmulatedStream, float> there;
  OnDevice<EmulatedStream, float>::Place<Cell> place;

  static Sequences<float> sequences() {
    for (const KnownCell& known : known_cells()) {
      if (!known.chosen || std::string(known.name) != "lstm") continue;
      Dims dims = small;
      dims.projection = 2;
      Sequences<float> of(testing::choosing(known), dims);
      add_lengths(of);
      add_resets(of);
      add_masks(of);
      add_zoneout(of);
      return of;
    }
    throw std::logic_error("no lstm");
  }

  Recorded()
      : of(sequences()),
        there(device, of),
        place(there.place<Cell>({Kept::all, 2, of.dims.steps, true})) {
    general_pack(stream, there.weights, place.packed);
    run_twice();
  }

  void run() {
    general_forward(stream, there.forward, place.packed, place.tape);
    general_backward(stream, there.backward, place.tape);
    general_trace(stream, there.trace, place.tape);
  }
  void run_twice() {
    run();
    run();
  }

  /// What the driver launches in three passes that are changed, or not.
  int launches() {
    const int before = stream.launches();
    run();
    return stream.launches() - before;
  }
};

TEST(a_pass_is_played_only_if_all_that_it_depends_on_is_the_same) {
  Recorded of;
  CHECK(of.stream.graphs() == 3, "%d graphs", static_cast<int>(of.stream.graphs()));
  CHECK(of.launches() == 0, "the same call was launched");
  auto& forward = of.there.forward;
  auto& backward = of.there.backward;
  auto& trace = of.there.trace;

  const auto check = [&](const char* what, auto& value, auto other) {
    const auto before = value;
    value = other;
    CHECK(of.launches() > 0, "another %s, and the same graph", what);
    value = before;
    CHECK(of.launches() == 0, "%s as it was, and not its graph", what);
  };
  const auto moved = [&](const float* array, std::size_t count) {
    return of.device.copy("moved", of.device.numbers(array, count));
  };
  const std::size_t steps = numbers;
  check("x", forward.x.data, moved(forward.x.data, of.of.x.size()));
  check("stride", forward.x.row_stride, index{0});
  check("h0", forward.initial.h, static_cast<const float*>(nullptr));
  check("c0", forward.initial.c, moved(forward.initial.c, of.of.c0.size()));
  check("y", forward.y.data, moved(forward.y.data, of.of.y.size()));
  check("h_n", forward.last.h, static_cast<float*>(nullptr));
  check("c_n", forward.last.c, static_cast<float*>(nullptr));
  check("mask", forward.masks.recurrent, moved(forward.masks.recurrent, of.of.mask.size()));
  check("zoneout", forward.masks.kept_c.data,
        moved(forward.masks.kept_c.data, of.of.kept_c.size()));
  check("resets", forward.resets.data, static_cast<const bool*>(nullptr));
  check("x", backward.x.data, moved(backward.x.data, of.of.x.size()));
  check("weights", backward.weights.arrays[1],
        moved(backward.weights.arrays[1], of.of.weights[1].size()));
  check("dy", backward.dy.data, static_cast<const float*>(nullptr));
  check("dh_n", backward.d_last.h, static_cast<const float*>(nullptr));
  check("dx", backward.out.x.data, static_cast<float*>(nullptr));
  check("dw", backward.out.weights.arrays[2], static_cast<float*>(nullptr));
  check("dc0", backward.out.initial.c, static_cast<float*>(nullptr));
  check("truncate", backward.truncate, index{2});
  check("gates", trace.gates.data, moved(trace.gates.data, steps * 4 * std::size_t(small.units)));

  std::vector<SequenceRow> rows(forward.rows, forward.rows + small.rows);
  const SequenceRow* const same_rows = rows.data();
  forward.rows = same_rows;
  CHECK(of.launches() == 0, "the same lengths elsewhere");
  rows[1].length -= 1;
  CHECK(of.launches() > 0, "other lengths, and the same graph");
  std::vector<ActivationChoice> chosen(backward.activations, backward.activations + 3);
  rows[1].length += 1;
  backward.activations = chosen.data();
  CHECK(of.launches() == 0, "the same activations elsewhere");
  chosen[1].clip = 0.5;
  CHECK(of.launches() > 0, "other activations, and the same graph");
}

TEST(there_are_only_so_many_graphs) {
  Recorded of;
  for (index truncate = 0; truncate < 40; ++truncate) {
    of.there.backward.truncate = truncate;
    general_backward(of.stream, of.there.backward, of.place.tape);
    general_backward(of.stream, of.there.backward, of.place.tape);
  }
  CHECK(of.stream.graphs() == 16, "%d", static_cast<int>(of.stream.graphs()));
}

TEST(graphs_go_with_the_memory_they_were_recorded_in) {
  Recorded of;
  of.stream.give_back();
  CHECK(of.stream.graphs() == 0, "%d", static_cast<int>(of.stream.graphs()));
  CHECK(of.launches() > 0, "played from memory that is not there");
}

}  // namespace
}  // namespace rnnfast
