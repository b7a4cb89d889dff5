// What a forward pass works with, beside weights and history.
#pragma once

#include "call/passes.hpp"
#include "cpu/layout/history.hpp"
#include "gemm/paired_tile.hpp"

namespace rnnfast {
namespace {

template <class T>
struct ForwardWorkspace {
  index rows;  // B
  index chunk_rows;
  int shares;
  index strip_size;  // of an interleaved input product, if there is one
  index sums_size;
  SequenceRow* sequences = nullptr;  // [B] of private rows
  index* state_rows = nullptr;       // [B] where they lie in the history
  index* gate_rows = nullptr;        // [B] likewise
  index* y_rows = nullptr;           // [B] their first steps in y
  index* x_offsets = nullptr;        // [shares][chunk_rows]
  index* slot_numbers = nullptr;     // [shares][chunk_rows]
  T* strips = nullptr;               // [shares][strip_size]
  T* sums = nullptr;

  void place(Bump& bump) {
    sequences = bump.take<SequenceRow>(rows);
    state_rows = bump.take<index>(rows);
    gate_rows = bump.take<index>(rows);
    y_rows = bump.take<index>(rows);
    x_offsets = bump.take<index>(shares * chunk_rows);
    slot_numbers = bump.take<index>(shares * chunk_rows);
    strips = bump.take<T>(shares * strip_size);
    sums = bump.take<T>(sums_size);
  }
};

/// Of a plan. A share's strip is x of a window, k after k.
template <class Shape, class T>
inline ForwardWorkspace<T> forward_workspace(const History<Shape, T>& history,
                                             const PlanSegment& plan) {
  const Dims& dims = history.dims;
  const bool strips = plan.interleaves_input;
  return {dims.rows, smaller(plan.chunk_steps, dims.steps) * dims.rows, plan.threads,
          strips ? round_up(dims.inputs, lanes<T>) * near_strip<T> : 0,
          strips ? history.layout.slots(near_rows) : 0};
}

}  // namespace
}  // namespace rnnfast
