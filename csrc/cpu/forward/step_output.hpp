// Where a row's state after a step goes: to its private row and, unless a projection follows, to y.
#pragma once

#include "cpu/epilogue/projection.hpp"
#include "cpu/forward/context.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
class StepOutput {
  using V = Vec<T>;
  static constexpr index N = lanes<T>;

 public:
  explicit StepOutput(const EpilogueContext<Shape, T>& of)
      : state_rows_(of.rows.state_rows),
        y_rows_(of.rows.y_rows),
        next_y_(of.call.y.step_stride),
        next_state_(of.history.step_stride()),
        row_(of.history.layout.row()) {}

  /// Row r's state at a group, of whose units `valid` are there.
  template <class Output, Keep keep>
  void leave(const ForwardStep<Shape, T>& step, index r, index group, const State<V>& state,
             index valid) const {
    const index at = state_rows_[r] * row_ + group * N;
    if (begins_line<T>(group)) ask_ahead<Output, keep>(step, r, group);
    if constexpr (Shape::has_memory) store(step.after.c + at, state.c);
    if constexpr (Output::projects) {
      store(step.m + at, state.h);
    } else {
      store(step.after.h + at, state.h);
      store_y(step, r, group, state.h, valid);
    }
  }

  void store_y(const ForwardStep<Shape, T>& step, index r, index group, V h, index valid) const {
    T* const y = step.y + y_rows_[r] + group * N;
    valid == N ? store(y, h) : store_first(y, h, valid);
  }

 private:
  /// Asks for the lines that the same row writes at the next step: new ones, far from any cache.
  template <class Output, Keep keep>
  void ask_ahead(const ForwardStep<Shape, T>& step, index r, index group) const {
    if constexpr (!Output::projects) ask_to_write(step.y + next_y_ + y_rows_[r] + group * N);
    if constexpr (keep == Keep::all) {
      const index next = (state_rows_[r] + next_state_) * row_ + group * N;
      if constexpr (Shape::has_memory) ask_to_write(step.after.c + next);
      ask_to_write((Output::projects ? step.m : step.after.h) + next);
    }
  }

  const index* const state_rows_;
  const index* const y_rows_;
  const index next_y_;
  const index next_state_;
  const index row_;
};

}  // namespace
}  // namespace rnnfast
