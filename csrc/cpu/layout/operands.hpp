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

/// Elements from what one share writes at every step to what another does: so far that no line, and
/// no prefetcher, of the one touches the other's.
template <class T>
constexpr index apart(index count) {
  constexpr auto far = static_cast<index>(1024 / sizeof(T));
  return round_up(count, far) + far;
}

// k of rows of x that stay in L2 while all panels of W_ih pass over them.
constexpr index x_block = 96 * 1024;

template <class Shape, class F>
struct Operands {
  Operands(const History<Shape, typename F::Sum>&, const PlanSegment&) {}
  void place(Bump&) {}
};

template <class Shape, class F>
  requires rounds_operands<F>
struct Operands<Shape, F> {
  using A = typename F::A;
  using T = typename F::Sum;

  index states;  // rows of each of the following
  index row;     // elements of a row
  index m_row;   // likewise of m; 0: there is none
  index x_row;   // likewise of x
  index x_rows;  // of a share
  index shares;
  index scale_row;                   // from the scales of a share to the next one's
  index x_scale_row;                 // likewise of x
  A* recurrent[Shape::phases] = {};  // [states][row], as the history's operands
  A* m = nullptr;                    // [states][m_row], as the history's m
  A* x = nullptr;                    // [shares][x_rows][x_row]
  index* x_numbers = nullptr;        // [shares][x_rows] 0, 1, 2, ...
  float* scales = nullptr;           // [shares][scale_row], B of rows that a phase multiplies
  float* x_scales = nullptr;         // [shares][x_scale_row], x_rows of them

  Operands(const History<Shape, T>& history, const PlanSegment& plan)
      : states(history.state_rows()),
        row(operand_row<F>(history.outputs.units)),
        m_row(history.dims.projection ? operand_row<F>(history.dims.units) : 0),
        x_row(operand_row<F>(history.dims.inputs)),
        x_rows(smaller(history.chunk_steps * history.dims.rows,
                       larger(largest_tile_rows, x_block / (x_row * F::group)))),
        shares(plan.threads),
        scale_row(Quantized<F> ? apart<float>(history.dims.rows) : 0),
        x_scale_row(Quantized<F> ? apart<float>(x_rows) : 0) {}

  void place(Bump& bump) {
    for (A*& of_phase : recurrent) of_phase = bump.take<A>(states * row);
    m = bump.take<A>(states * m_row);
    x = bump.take<A>(shares * x_rows * x_row);
    x_numbers = bump.take<index>(shares * x_rows);
    scales = bump.take<float>(shares * scale_row);
    x_scales = bump.take<float>(shares * x_scale_row);
  }
};

}  // namespace
}  // namespace rnnfast
