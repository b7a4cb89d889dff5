// What a forward pass works with, beside weights and history.
#pragma once

#include "call/passes.hpp"
#include "cpu/layout/operands.hpp"
#include "gemm/paired_tile.hpp"

namespace rnnfast {
namespace {

/// Where rows are.
struct ForwardRows {
  SequenceRow* sequences = nullptr;  // [B] of private rows
  index* state_rows = nullptr;       // [B] where they lie in the history
  index* gate_rows = nullptr;        // [B] likewise
  index* y_rows = nullptr;           // [B] their first steps in y
};

template <class Shape, class F>
struct ForwardWorkspace : ForwardRows {
  using T = typename F::Sum;
  index rows;  // B
  index chunk_rows;
  int shares;
  index strip_size = 0;  // of an interleaved input product, if there is one: x of a window, k
                         // after k
  index sums_size = 0;
  index* x_offsets = nullptr;     // [shares][chunk_rows]
  index* slot_numbers = nullptr;  // [shares][chunk_rows]
  T* strips = nullptr;            // [shares][strip_size]
  T* sums = nullptr;
  Operands<Shape, F> operands;

  ForwardWorkspace(const History<Shape, T>& history, const PlanSegment& plan)
      : rows(history.dims.rows),
        chunk_rows(smaller(plan.chunk_steps, history.dims.steps) * rows),
        shares(plan.threads),
        operands(history, plan) {
    if (!plan.interleaves_input) return;
    strip_size = round_up(history.dims.inputs, lanes<T>) * near_strip<T>;
    sums_size = history.layout.slots(near_rows);
  }

  void place(Bump& bump) {
    sequences = bump.take<SequenceRow>(rows);
    state_rows = bump.take<index>(rows);
    gate_rows = bump.take<index>(rows);
    y_rows = bump.take<index>(rows);
    x_offsets = bump.take<index>(shares * chunk_rows);
    slot_numbers = bump.take<index>(shares * chunk_rows);
    strips = bump.take<T>(shares * strip_size);
    sums = bump.take<T>(sums_size);
    operands.place(bump);
  }
};

}  // namespace
}  // namespace rnnfast
