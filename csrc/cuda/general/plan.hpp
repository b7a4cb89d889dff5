// In what pieces a pass is made. From sizes alone, so that a call gives the same bits whether it
// keeps all, checkpoints or nothing.
//
//   blocks      |---|---|---|---|---|-|    steps whose input product is one, and whose part of the
//                                          gradients of weights
//   stretches   |-------|-------|-----|    whole blocks, that are kept at a time
#pragma once

#include <cmath>

#include "base/dims.hpp"

namespace rnnfast {
namespace {

/// What a forward pass leaves on its tape.
enum class Kept { nothing, all, checkpoints };

struct GeneralPlan {
  Kept kept;
  index block_steps;
  index stretch_steps;  // of T at most, which is all
  bool masks_operand;   // whether the call masks h where it enters the recurrent product

  index stretches(index steps) const { return ceil_div(steps, stretch_steps); }
  Span stretch(index i, index steps) const { return piece(i, stretch_steps, {0, steps}); }
  index blocks(const Span& stretch) const { return ceil_div(stretch.size(), block_steps); }
  Span block(index i, const Span& stretch) const { return piece(i, block_steps, stretch); }

 private:
  static Span piece(index i, index length, const Span& of) {
    const index begin = of.begin + i * length;
    return {begin, smaller(begin + length, of.end)};
  }
};

/// Rows of a product that leave no multiprocessor idle, of blocks of 128 by 128 at H = 512.
constexpr index block_rows = 2048;

/// Throws nothing away that a backward pass, or a trace, needs as `kept` says.
inline GeneralPlan general_plan(const Dims& dims, Kept kept, bool masks_operand) {
  const index steps = larger(dims.steps, 1);
  const index block = smaller(ceil_div(block_rows, larger(dims.rows, 1)), steps);
  const auto root = static_cast<index>(std::sqrt(static_cast<double>(steps)));
  const index stretch = kept == Kept::all           ? steps
                        : kept == Kept::checkpoints ? smaller(round_up(root, block), steps)
                                                    : block;
  return {kept, block, stretch, masks_operand};
}

}  // namespace
}  // namespace rnnfast
