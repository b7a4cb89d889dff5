// In what pieces the general driver makes a pass, and how much of it is kept.
#define RNNFAST_ONE_LANE

#include "cells/registry.hpp"
#include "check.hpp"
#include "cuda/general/tape.hpp"

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

}  // namespace
}  // namespace rnnfast
