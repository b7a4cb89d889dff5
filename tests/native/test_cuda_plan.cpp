// In what pieces a pass is made, how much of it is kept, and which driver takes its steps.
#define RNNFAST_ONE_LANE

#include "cells/registry.hpp"
#include "check.hpp"
#include "cuda/general/tape.hpp"
#include "cuda/persistent/drivers.hpp"
#include "emulation/thread.hpp"

namespace rnnfast {
namespace {

using Cell = Lstm<Usual, Forget::own>;

std::size_t tape_bytes(const Dims& dims, const GeneralPlan& plan) {
  GeneralTape<Cell, float> tape(dims, plan);
  return measure(tape);
}

/// Pieces that follow each other and make up the whole.
void check_pieces(const Dims& dims, const GeneralPlan& plan) {
  index step = 0;
  for (index i = 0; i < plan.stretches(dims.steps); ++i) {
    const Span stretch = plan.stretch(i, dims.steps);
    CHECK(stretch.begin == step && stretch.size() > 0, "stretch %d", static_cast<int>(i));
    for (index b = 0; b < plan.blocks(stretch); ++b) {
      const Span block = plan.block(b, stretch);
      CHECK(block.begin == step && block.size() > 0, "block %d", static_cast<int>(b));
      CHECK(block.begin % plan.block_steps == 0, "a stretch that is not whole blocks");
      step = block.end;
    }
    CHECK(step == stretch.end, "stretch %d", static_cast<int>(i));
  }
  CHECK(step == dims.steps, "%d steps", static_cast<int>(step));
}

TEST(blocks_are_the_same_whatever_is_kept) {
  for (const index steps : {1, 7, 128, 1000, 20000}) {
    for (const index rows : {1, 16, 2047, 2048, 5000}) {
      const Dims dims = {steps, rows, 3, 4};
      const GeneralPlan all = general_plan(dims, Kept::all, false);
      for (const Kept kept : {Kept::nothing, Kept::all, Kept::checkpoints}) {
        const GeneralPlan plan = general_plan(dims, kept, false);
        CHECK(plan.block_steps == all.block_steps, "other sums");
        check_pieces(dims, plan);
      }
    }
  }
}

TEST(tapes_of_checkpoints_grow_with_the_root_of_the_steps) {
  const Dims dims = {1 << 14, 256, 64, 64};
  const std::size_t all = tape_bytes(dims, general_plan(dims, Kept::all, false));
  const GeneralPlan plan = general_plan(dims, Kept::checkpoints, false);
  CHECK(plan.stretch_steps == 128, "%d", static_cast<int>(plan.stretch_steps));
  // h and c of a stretch's first step, where all has these and four gates of every one.
  const auto saved = static_cast<double>(all) / static_cast<double>(tape_bytes(dims, plan));
  CHECK(saved > 383 && saved < 385, "%g times less", saved);
  CHECK(tape_bytes(dims, general_plan(dims, Kept::nothing, false)) == 0, "it keeps something");
}

// --- Which driver ---

constexpr Chip a100 = {108, 80, 384, 163 << 10, true, 0};
constexpr Chip h100 = {132, 90, 1024, 227 << 10, true, 16};
constexpr Chip without_clusters = {132, 90, 1024, 227 << 10, true, 0};

/// What plans ask of a device.
struct Planned {
  using Thread = emulation::EmulatedThread;
  Chip of;
  bool has_room = true;
  bool has_room_for_clusters = true;
  const Chip& chip() const { return of; }
  template <class Kernel>
  bool runs_together(const ResidentLaunch& as) const {
    return has_room && (as.cluster == 0 || has_room_for_clusters);
  }
};

template <class C, class Stored>
void check_plan(const Chip& chip, index rows, index units, Driver driver, index groups) {
  const Dims dims = {100, rows, 3, units};
  for (const PersistentPlan& plan : {plan_forward<C, Stored>(Planned{chip}, dims),
                                     plan_backward<C, Stored>(Planned{chip}, dims)}) {
    const int b = static_cast<int>(rows);
    const int h = static_cast<int>(units);
    CHECK(plan.driver == driver, "B%d H%d", b, h);
    if (plan.driver == Driver::general || driver == Driver::general) continue;
    const Division& by = plan.division;
    CHECK(by.groups == groups, "B%d H%d: %d groups", b, h, static_cast<int>(by.groups));
    CHECK(by.blocks() <= chip.multiprocessors, "more blocks than run at once");
    CHECK(by.shares * by.own >= units && (by.shares - 1) * by.own < units, "units");
    CHECK(by.groups * by.group_rows() >= rows && by.chunk_rows % 8 == 0, "rows");
    CHECK(plan.shared_bytes <= chip.resident_bytes, "more than there is");
  }
}

TEST(clusters_take_what_has_room_in_them) {
  const auto check = [](const PersistentPlan& plan, index own, index shares, index groups) {
    CHECK(plan.driver == Driver::cluster, "another driver");
    CHECK(plan.division.own == own && plan.division.shares == shares &&
              plan.division.groups == groups,
          "%d units of %d blocks, %d groups", static_cast<int>(plan.division.own),
          static_cast<int>(plan.division.shares), static_cast<int>(plan.division.groups));
    CHECK(plan.shared_bytes <= h100.resident_bytes, "more than there is");
    CHECK(plan.launch().cluster == shares, "no launch of clusters");
  };
  const Planned device = {h100};
  check(plan_forward<Cell, Bfloat16>(device, {100, 16, 3, 768}), 48, 16, 2);
  check(plan_forward<Cell, Float16>(device, {100, 64, 3, 512}), 32, 16, 8);
  check(plan_backward<Cell, Float16>(device, {100, 64, 3, 512}), 32, 16, 8);
  check(plan_forward<Cell, Bfloat16>(device, {100, 100, 3, 512}), 32, 16, 8);
  check(plan_forward<Cell, float>(device, {100, 1, 3, 256}), 16, 16, 1);
  check(plan_backward<Cell, float>(device, {100, 32, 3, 128}), 16, 8, 4);
  check(plan_forward<Gru<Usual>, float>(device, {100, 3, 3, 5}), 5, 1, 1);
  // Past them the whole device.
  check_plan<Cell, Bfloat16>(h100, 16, 1024, Driver::grid, 2);
  check_plan<Cell, float>(h100, 16, 768, Driver::grid, 2);
}

TEST(weights_stay_where_they_have_room) {
  // Where all of R has room more than once, rows are divided.
  check_plan<Cell, float>(without_clusters, 16, 768, Driver::grid, 2);
  check_plan<Cell, float>(without_clusters, 16, 1024, Driver::grid, 1);
  check_plan<Cell, double>(without_clusters, 16, 768, Driver::grid, 1);
  check_plan<Cell, Bfloat16>(without_clusters, 16, 1024, Driver::grid, 2);
  check_plan<Cell, float>(without_clusters, 1, 256, Driver::grid, 1);
  check_plan<Cell, float>(without_clusters, 32, 128, Driver::grid, 4);
  check_plan<Cell, float>(without_clusters, 13, 127, Driver::grid, 2);
  check_plan<Gru<Usual>, float>(without_clusters, 16, 768, Driver::grid, 2);
  check_plan<GruResetBefore<Usual>, float>(without_clusters, 16, 768, Driver::grid, 2);
  check_plan<Rnn<Fixed<Tanh>>, float>(without_clusters, 16, 2048, Driver::grid, 1);
  check_plan<Cell, float>(a100, 16, 768, Driver::grid, 1);
  // Or not even once.
  check_plan<Cell, float>(without_clusters, 16, 1400, Driver::general, 0);
  check_plan<Cell, float>(a100, 16, 1100, Driver::general, 0);
  check_plan<Cell, double>(without_clusters, 16, 1024, Driver::general, 0);
  check_plan<Cell, float>(without_clusters, 16, index{1} << 40, Driver::general, 0);
}

TEST(many_rows_are_a_librarys) {
  check_plan<Cell, float>(without_clusters, 64, 512, Driver::grid, 4);
  check_plan<Cell, float>(without_clusters, 512, 512, Driver::general, 0);
  check_plan<Cell, float>(without_clusters, 0, 512, Driver::general, 0);
}

TEST(cells_that_persistent_launches_do_not_take) {
  check_plan<LstmNorm<Usual>, float>(without_clusters, 16, 256, Driver::general, 0);
  check_plan<LstmPeephole<ChosenActivations<float>>, float>(without_clusters, 16, 256,
                                                            Driver::general, 0);
  check_plan<Lstm<ChosenActivations<float>, Forget::own>, float>(without_clusters, 16, 256,
                                                                 Driver::general, 0);
}

TEST(devices_whose_blocks_cannot_meet) {
  Chip alone = without_clusters;
  alone.is_cooperative = false;
  check_plan<Cell, float>(alone, 16, 256, Driver::general, 0);
  check_plan<Cell, float>(Chip{}, 16, 256, Driver::general, 0);
  const auto without = plan_forward<Cell, float>(Planned{h100, false}, {9, 16, 3, 256});
  CHECK(without.driver == Driver::general, "no room for a block");
  const auto on_grid = plan_forward<Cell, float>(Planned{h100, true, false}, {9, 16, 3, 256});
  CHECK(on_grid.driver == Driver::grid, "no room for a cluster");
}

}  // namespace
}  // namespace rnnfast
