// Rows of A of a forward pass, in a format whose A is not what states are made of: of the phases'
// operands and of what a projection projects, as the history has them, and of some x at a time.
// Other formats read the history's rows and the caller's x, and have none.
#pragma once

#include "cpu/layout/history.hpp"

namespace rnnfast {
namespace {

/// Elements of a row of A: whole vectors of k, and an odd number of cache lines (padded_row).
template <class F>
constexpr index operand_row(index k) {
  constexpr auto size = static_cast<index>(sizeof(typename F::A));
  constexpr index line = static_cast<index>(cache_line) / size;
  const index lines = ceil_div(round_up(k, lanes<typename F::Sum>) / F::group, line);
  return (lines % 2 == 0 ? lines + 1 : lines) * line;
}

// k of rows of x that stay in L2 while all panels of W_ih pass over them.
constexpr index x_block = 96 * 1024;

template <class Shape, class F>
struct Operands {
  using A = typename F::A;
  using T = typename F::Sum;

  index states = 0;  // rows of each of the following
  index row = 0;     // elements of a row
  index m_row = 0;   // likewise of m; 0: there is none
  index x_row = 0;   // likewise of x
  index x_rows = 0;  // of a share
  index shares = 0;
  A* recurrent[Shape::phases] = {};  // [states][row], as the history's operands
  A* m = nullptr;                    // [states][m_row], as the history's m
  A* x = nullptr;                    // [shares][x_rows][x_row]
  index* x_numbers = nullptr;        // [shares][x_rows] 0, 1, 2, ...

  Operands(const History<Shape, T>& history, const PlanSegment& plan) {
    if constexpr (rounds_operands<F>) {
      const Dims& dims = history.dims;
      states = history.state_rows();
      row = operand_row<F>(history.outputs.units);
      m_row = dims.projection ? operand_row<F>(dims.units) : 0;
      x_row = operand_row<F>(dims.inputs);
      x_rows = smaller(history.chunk_steps * dims.rows,
                       larger(largest_tile_rows, x_block / (x_row * F::group)));
      shares = plan.threads;
    }
  }

  void place(Bump& bump) {
    if constexpr (rounds_operands<F>) {
      for (A*& of_phase : recurrent) of_phase = bump.take<A>(states * row);
      m = bump.take<A>(states * m_row);
      x = bump.take<A>(shares * x_rows * x_row);
      x_numbers = bump.take<index>(shares * x_rows);
    }
  }
};

}  // namespace
}  // namespace rnnfast
