// What a worker's forward pass goes by, and where it finds a step. All of the forward pass is made
// of functions of these.
#pragma once

#include "cpu/forward/workspace.hpp"
#include "cpu/layout/forward_weights.hpp"

namespace rnnfast {
namespace {

/// Copies, not references: in the caller's stack frame they may share cache lines with what the
/// calling thread writes all the time. Made once, it serves passes that differ in x and y alone.
template <class Shape, class T>
struct ForwardContext {
  ForwardCall<T> call;
  ForwardWeights<Shape, T> weights;
  History<Shape, T> history;
  ForwardWorkspace<T> work;
  PlanSegment plan;
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

  ForwardStep(const ForwardContext<Shape, T>& of, index step, Span rows)
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
