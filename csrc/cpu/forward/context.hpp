// What a worker's forward pass and the epilogues in it go by, and where they find a step. All of
// the forward pass is made of functions of these. An epilogue knows nothing of product formats.
#pragma once

#include "cpu/forward/workspace.hpp"
#include "cpu/layout/forward_weights.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
struct EpilogueContext {
  const ForwardCall<T>& call;
  const NormWeights<Shape, T>& norm;
  const UnitWeights<Shape, T>& of_units;
  const History<Shape, T>& history;
  const ForwardRows& rows;
};

/// Copies, not references: in the caller's stack frame they may share cache lines with what the
/// calling thread writes all the time. Made once, it serves passes that differ in x and y alone.
template <class Shape, class F>
struct ForwardContext {
  using T = typename F::Sum;
  ForwardCall<T> call;
  ForwardWeights<Shape, F> weights;
  History<Shape, T> history;
  ForwardWorkspace<Shape, F> work;
  PlanSegment plan;

  EpilogueContext<Shape, T> epilogue() const {
    return {call, weights.norm, weights.of_units, history, work};
  }
};

/// Where a step finds and leaves things; worked out once, since it takes divisions.
template <class Shape, class T>
struct ForwardStep {
  index number;
  Span rows;  // that take part
  Slots<Shape, T> slots;
  index first_slot;
  const T* operands[Shape::phases];
  State<const T*> before;
  State<T*> after;
  T* m;  // of a projection
  T* y;

  template <class F>
  ForwardStep(const ForwardContext<Shape, F>& of, index step, Span rows)
      : number(step),
        rows(rows),
        slots(of.history.slots_of(step)),
        first_slot(of.history.step_row(step)),
        before{of.history.h_at(step), of.history.c_at(step)},
        after{of.history.h_at(step + 1), of.history.c_at(step + 1)},
        m(of.history.m_at(step)),
        y(of.call.y.data + step * of.call.y.step_stride) {
    for (int p = 0; p < Shape::phases; ++p) operands[p] = of.history.operand_at(p, step);
  }

  /// The slots of a panel; row r's is number gate_rows[r].
  T* panel(index number) const {
    return slots.panel(number) + first_slot * slots.layout.slot(number);
  }
};

}  // namespace
}  // namespace rnnfast
