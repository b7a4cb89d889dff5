// What the workers of a forward pass share, beside weights and history.
#pragma once

#include "seq/calls.hpp"
#include "seq/interleaved_input.hpp"

namespace rnnfast {
namespace {

template <class T>
struct ForwardWorkspace {
  index rows;  // B
  index chunk_rows;
  int workers;
  index strip_size;  // of an interleaved input product, if there is one
  index sums_size;
  SequenceRow* sequences = nullptr;  // [B] of private rows
  index* state_rows = nullptr;       // [B] where they lie in the history
  index* gate_rows = nullptr;        // [B] likewise
  index* y_rows = nullptr;           // [B] their first steps in y
  index* x_offsets = nullptr;        // [workers][chunk_rows]
  index* slot_numbers = nullptr;     // [workers][chunk_rows]
  T* strips = nullptr;               // [workers][strip_size]
  T* sums = nullptr;

  void place(Bump& bump) {
    sequences = bump.take<SequenceRow>(rows);
    state_rows = bump.take<index>(rows);
    gate_rows = bump.take<index>(rows);
    y_rows = bump.take<index>(rows);
    x_offsets = bump.take<index>(workers * chunk_rows);
    slot_numbers = bump.take<index>(workers * chunk_rows);
    strips = bump.take<T>(workers * strip_size);
    sums = bump.take<T>(sums_size);
  }
};

/// Of a plan, for `workers` that share it.
template <class Cell, class T, class Keep>
inline ForwardWorkspace<T> forward_workspace(const History<Cell, T, Keep>& history,
                                             const PlanSegment& plan, int workers) {
  using Input = InterleavedInput<Cell, T, Keep>;
  const Dims& dims = history.dims;
  return {dims.rows, smaller(plan.chunk_steps, dims.steps) * dims.rows, workers,
          plan.interleaves_input ? Input::strip_size(dims.inputs) : 0,
          plan.interleaves_input ? Input::sums_size(history.layout) : 0};
}

}  // namespace
}  // namespace rnnfast
