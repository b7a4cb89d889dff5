// What a worker's backward pass goes by, and where a step stands in it. All of the backward pass is
// made of functions of these. Only its products (cpu/backward/product_workspace.hpp) know of
// product formats.
#pragma once

#include "cpu/backward/gradient_sums.hpp"
#include "cpu/backward/workspace.hpp"

namespace rnnfast {
namespace {

/// Copies, as in the forward pass (cpu/forward/context.hpp).
template <class Shape, class T>
struct BackwardContext {
  const BackwardCall<T> call;
  History<Shape, T> history;  // of the stretch of steps at hand
  BackwardWorkspace<Shape, T> work;
  const Sequence<const T> dy;

  BackwardContext(const BackwardCall<T>& call, const History<Shape, T>& history,
                  const BackwardWorkspace<Shape, T>& work)
      : call(call),
        history(history),
        work(work),
        dy(call.dy.data ? call.dy : Sequence<const T>{work.zeros, 0, 0}) {}

  /// dL/dy of a row at a step of its own.
  const T* dy_at(const SequenceRow& row, index step) const {
    return dy.data + (row.first + step) * dy.step_stride + row.sequence * dy.row_stride;
  }
};

/// Calls body(rows, what their sums hold so far) for the blocks of a chunk's rows, in order. The
/// first block in which a sequence takes a step begins the sums.
template <class Shape, class T, class Body>
inline void for_blocks(const BackwardContext<Shape, T>& of, Span steps, Body&& body) {
  const BackwardWorkspace<Shape, T>& work = of.work;
  index row = 0;
  for (index end = steps.end; end > steps.begin; end -= work.plan.block_steps) {
    const index begin = larger(steps.begin, end - work.plan.block_steps);
    const Span rows = {row, row + work.rows_of({begin, end})};
    const bool none_after = end == of.call.dims.steps || work.active[end] == 0;
    body(rows, none_after ? SumSoFar::nothing : SumSoFar::blocks);
    row = rows.end;
  }
}

/// Calls body(rows, where their gradients go) for a share of the sequences, each with all its
/// steps.
template <class Shape, class T, class Body>
inline void for_sequences(const BackwardContext<Shape, T>& of, const Share& own, Body&& body) {
  const Dims& dims = of.call.dims;
  const Span mine = own.of(dims.rows);
  for (index r = mine.begin; r < mine.end; ++r) {
    const SequenceRow& row = of.work.sequences[r];
    const auto to = weights_of_sequence<Shape>(of.call.out.weights, dims, row.sequence);
    const index end = of.work.places[r] + dims.steps;
    row.length ? body(Span{end - row.length, end}, to) : clear_weights<Shape>(to, dims);
  }
}

/// Where a step stands in a chunk's deltas, and those of a worker's rows that take part in it.
struct BackwardStep {
  index number;
  index first_row;
  Span rows;

  /// Of these rows some, as a tile counts them.
  BackwardStep some(index row, index count) const {
    const index begin = rows.begin + row;
    return {number, first_row, {begin, begin + count}};
  }
};

}  // namespace
}  // namespace rnnfast
