// The plan by itself: what it must respect whatever the machine, and the choices it is known for.
#include "check.hpp"

namespace rnnfast {
namespace {

double near_cores(int) { return 100; }
double far_cores(int) { return 420; }
constexpr Machine zen = {std::size_t{1} << 20, std::size_t{32} << 20, 100.0, 3000.0, near_cores};
constexpr CellTraits lstm = {4, 4, 1, 4, 16};

PlanSegment plan(const Dims& dims, int threads, const Forced& forced = {}) {
  return make_plan(Purpose::inference, dims, lstm, zen, threads, forced).segments.front();
}

TEST(plans_cover_all_steps_and_stay_in_bounds) {
  for (const index steps : {0, 1, 3, 100, 10000}) {
    for (const index rows : {0, 1, 7, 64, 5000}) {
      for (const index units : {1, 16, 17, 128, 2048}) {
        for (const int threads : {1, 2, 3, 64}) {
          const PlanSegment p = plan({steps, rows, 32, units}, threads);
          CHECK(p.begin == 0 && p.end == steps && p.rows == rows, "T=%d B=%d",
                static_cast<int>(steps), static_cast<int>(rows));
          CHECK(p.threads >= 1 && p.threads <= threads, "%d threads", p.threads);
          CHECK(p.chunk_steps >= 1 && p.block_steps >= 1, "T=%d", static_cast<int>(steps));
          CHECK(p.delta_chunk_steps % p.block_steps == 0, "chunks are whole blocks");
        }
      }
    }
  }
}

TEST(sums_are_cut_by_steps_and_rows_alone) {
  const PlanSegment wanted = plan({300, 24, 64, 64}, 1);
  for (const index units : {16, 512, 2048}) {
    for (const int threads : {1, 2, 4}) {
      CHECK(plan({300, 24, 999, units}, threads).block_steps == wanted.block_steps, "H=%d",
            static_cast<int>(units));
    }
  }
}

TEST(checkpoints_are_whole_blocks_apart_about_as_many_as_steps_between_them) {
  constexpr Purpose purpose = Purpose::training_with_checkpoints;
  for (const index steps : {0, 1, 2, 45, 2048, 100000}) {
    for (const index rows : {1, 7, 32, 5000}) {
      const Dims dims = {steps, rows, 32, 64};
      const PlanSegment p = make_plan(purpose, dims, lstm, zen, 2).segments.front();
      const index stretch = p.stretch_steps;
      CHECK(stretch >= 1 && stretch <= larger(steps, 1), "T=%d", static_cast<int>(steps));
      CHECK(stretch % p.block_steps == 0 || stretch == steps, "B=%d", static_cast<int>(rows));
      CHECK(stretch < p.block_steps + 317 && (stretch + 1) * (stretch + 1) > steps, "a root");
      CHECK(p.chunk_steps <= stretch && p.delta_chunk_steps <= stretch, "chunks of stretches");
      CHECK(p.block_steps == plan(dims, 2).block_steps, "sums are cut alike");
      CHECK(plan(dims, 2).stretch_steps == steps, "without them all is kept");
    }
  }
}

TEST(threads_own_rows_while_weights_fit_the_cache_and_units_beyond) {
  CHECK(plan({100, 64, 128, 128}, 2).partition == Partition::rows, "R of 256 KiB, 64 rows");
  CHECK(plan({100, 64, 1024, 1024}, 2).partition == Partition::units, "R of 16 MiB");
  CHECK(plan({100, 1, 512, 512}, 2).partition == Partition::units, "one row");
  CHECK(plan({100, 1, 512, 512}, 2).threads == 2, "one row is worth two threads at H=512");
}

TEST(a_single_row_interleaves_its_input_while_weights_stream_from_a_cache) {
  CHECK(plan({100, 1, 512, 512}, 2).interleaves_input, "R of 4 MiB");
  CHECK(plan({100, 1, 128, 128}, 2).interleaves_input, "R of 256 KiB");
  CHECK(!plan({100, 1, 64, 64}, 2).interleaves_input, "R in L1");
  CHECK(!plan({100, 1, 1024, 1024}, 2).interleaves_input, "R and W_ih fill L3");
  CHECK(!plan({19, 1, 512, 512}, 2).interleaves_input, "not two windows of steps");
  CHECK(!plan({100, 2, 512, 512}, 2).interleaves_input, "two rows");
  CHECK(!make_plan(Purpose::inference, {100, 1, 512, 512}, {3, 3, 2, 4, 16}, zen, 2)
             .segments[0]
             .interleaves_input,
        "two phases");
}

TEST(threads_that_are_far_apart_do_not_meet_in_short_steps) {
  const auto threads = [](index units, double (*meeting_ns)(int)) {
    Machine machine = zen;
    machine.meeting_ns = meeting_ns;
    const CellTraits gru = {3, 4, 1, 4, 16};
    return make_plan(Purpose::inference, {100, 1, units, units}, gru, machine, 2)
        .segments[0]
        .threads;
  };
  CHECK(threads(128, near_cores) == 2, "near cores, H=128");
  CHECK(threads(128, far_cores) == 1, "far cores, H=128");
  CHECK(threads(256, far_cores) == 2, "far cores, H=256");
}

TEST(a_projection_is_counted) {
  const auto threads = [](index projection) {
    return plan({100, 1, 128, 128, projection}, 2).threads;
  };
  CHECK(threads(0) == 2, "H=128");
  CHECK(threads(64) == 2, "R=64: less to do, two meetings a step");
  CHECK(threads(32) == 1, "R=32: one meeting would be worth it");
  const auto partition = [](index projection) {
    return plan({100, 64, 512, 512, projection}, 2).partition;
  };
  CHECK(partition(0) == Partition::units, "weights of 4 MiB");
  CHECK(partition(64) == Partition::rows, "of 640 KiB");
}

TEST(training_counts_what_threads_read_of_each_other) {
  const auto threads = [](const Dims& dims, double (*meeting_ns)(int)) {
    Machine machine = zen;
    machine.meeting_ns = meeting_ns;
    return make_plan(Purpose::training, dims, lstm, machine, 2).segments[0].threads;
  };
  CHECK(threads({10, 8, 64, 64}, near_cores) == 2, "near cores");
  CHECK(threads({10, 8, 64, 64}, far_cores) == 1, "far cores");
  CHECK(threads({100, 32, 128, 128}, far_cores) == 2, "far cores, more work");
}

TEST(tiny_work_stays_on_one_thread) {
  CHECK(plan({1, 1, 64, 64}, 2).threads == 1, "a single step");
  CHECK(plan({100, 1, 32, 32}, 2).threads == 1, "meetings cost more than they save");
}

StackPlan plan_layers(const StackDims& stack, int threads, double (*meeting_ns)(int),
                      const CellTraits& cell = lstm) {
  Machine machine = zen;
  machine.meeting_ns = meeting_ns;
  return plan_stack(Purpose::inference, stack, cell, machine, threads);
}

TEST(layers_run_at_once_where_threads_would_wait_for_each_other) {
  const auto layers = [](index units) { return StackDims{{100, 1, units, units}, 4, 1}; };
  const StackPlan small = plan_layers(layers(64), 2, near_cores);
  CHECK(small.pipelines && small.threads == 2 && small.chunk_steps == 10, "H=64, near cores");
  CHECK(plan_layers(layers(64), 3, near_cores).threads == 2, "a third has nothing to win");
  CHECK(plan_layers(layers(64), 4, near_cores).threads == 4, "a layer each");
  CHECK(!plan_layers(layers(64), 1, near_cores).pipelines, "one thread");
  for (const index units : {256, 512, 1024}) {
    CHECK(!plan_layers(layers(units), 2, near_cores).pipelines, "H=%d", static_cast<int>(units));
  }
  CHECK(plan_layers(layers(128), 2, far_cores).pipelines, "H=128, far cores");
  CHECK(!plan_layers({{100, 64, 64, 64}, 4, 1}, 2, near_cores).pipelines, "threads own rows");
  CHECK(!plan_layers({{1, 1, 64, 64}, 4, 1}, 2, near_cores).pipelines, "one step");
  CHECK(!plan_layers({{100, 1, 64, 64}, 1, 1}, 2, near_cores).pipelines, "one layer");
}

TEST(directions_run_at_once_unless_halves_of_one_would_stay_nearer) {
  const auto both = [](index units, double (*meeting_ns)(int), index layers = 1) {
    return plan_layers({{100, 1, units, units}, layers, 2}, 2, meeting_ns);
  };
  const StackPlan small = both(64, near_cores, 2);
  CHECK(small.pipelines && small.threads == 2, "H=64");
  CHECK(both(384, near_cores).pipelines && both(512, near_cores).pipelines, "R beyond two L2");
  CHECK(!both(256, near_cores).pipelines, "halves of R fit L2");
  CHECK(both(256, far_cores).pipelines, "they do, but cores are far apart");
  CHECK(!both(1024, near_cores).pipelines, "R of both fill L3");
  CHECK(!plan_layers({{100, 1, 512, 512}, 1, 2}, 4, near_cores).pipelines, "four threads");
  CHECK(!plan_layers({{100, 7, 512, 512}, 1, 2}, 2, near_cores).pipelines, "many rows");
}

TEST(a_layers_plan_among_others_leaves_its_backward_pass_alone) {
  const StackDims stack = {{100, 1, 128, 128}, 3, 1};
  const StackPlan plan = {true, 2, 10};
  const PlanSegment own = make_plan(Purpose::training, stack.of(1), lstm, zen, 2).segments.front();
  const PlanSegment part = plan_part(Purpose::training, stack, 1, plan, lstm, zen, 2);
  CHECK(part.chunk_steps == 10 && !part.interleaves_input, "forward: %d",
        static_cast<int>(part.chunk_steps));
  CHECK(part.threads == own.threads && part.partition == own.partition &&
            part.delta_chunk_steps == own.delta_chunk_steps && part.block_steps == own.block_steps,
        "backward: %d threads", part.threads);
}

TEST(forcing_is_obeyed) {
  const Partition rows = Partition::rows;
  const PlanSegment p = plan({50, 4, 8, 8}, 1, {&rows, 7, 3});
  CHECK(p.partition == Partition::rows && p.chunk_steps == 7 && p.threads == 3, "%s %d %d",
        name_of(p.partition), static_cast<int>(p.chunk_steps), p.threads);
}

}  // namespace
}  // namespace rnnfast
