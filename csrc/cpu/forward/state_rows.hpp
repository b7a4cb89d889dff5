// States at the borders of steps: read before the first, written after the last, and between two of
// them zeroed where a sequence is reset, and masked where they enter the recurrent product.
#pragma once

#include "cpu/epilogue/resets.hpp"
#include "cpu/forward/context.hpp"
#include "cpu/layout/states.hpp"
#include "cpu/plan/ownership.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
class StateRows {
  using V = Vec<T>;
  static constexpr index N = lanes<T>;

 public:
  StateRows(const ForwardCall<T>& call, const History<Shape, T>& history, const ForwardRows& work)
      : call_(call), history_(history), work_(work), outputs_(history.outputs) {}

  /// Before the first step of all, of some rows.
  void read(Span rows) const {
    const index first = history_.steps.begin;
    list_sequences(call_.rows, rows, call_.dims.steps, work_.sequences);
    for (index r = rows.begin; r < rows.end; ++r) {
      work_.state_rows[r] = history_.state_row(r);
      work_.gate_rows[r] = history_.gate_row(r);
      const SequenceRow& of = work_.sequences[r];
      const index b = of.sequence;
      work_.y_rows[r] = of.first * call_.y.step_stride + b * call_.y.row_stride;
      read_state(call_.initial.h, outputs_, state_of(of), h_at(first, r));
      if (Shape::has_memory) {
        read_state(call_.initial.c, history_.layout, state_of(of), c_at(first, r));
      }
      if (call_.rows) clear_padding(call_.y, of, history_.steps, outputs_.units);
    }
    begin(rows, first, {0, outputs_.groups()}, {0, history_.layout.groups()});
  }

  /// After the last. A row's state stays where its last step has left it, or where it was read if
  /// it takes none.
  void write(Span rows) const {
    for (index r = rows.begin; r < rows.end; ++r) {
      const SequenceRow& of = work_.sequences[r];
      const index last = within(of.length, history_.steps);
      write_state(h_at(last, r), outputs_, state_of(of), call_.last.h);
      if (Shape::has_memory) {
        write_state(c_at(last, r), history_.layout, state_of(of), call_.last.c);
      }
    }
  }

  /// Before `step`, of some groups of h and of c.
  void begin(Span rows, index step, Span outputs, Span units) const {
    if (call_.resets.data) reset(rows, step, outputs, units);
    if (history_.masks_operand) mask_operand(rows, step, outputs);
  }

 private:
  T* h_at(index step, index r) const {
    return history_.h_at(step) + work_.state_rows[r] * outputs_.row();
  }
  T* c_at(index step, index r) const {
    return history_.c_at(step) + work_.state_rows[r] * history_.layout.row();
  }
  /// Which row of the caller's states is a sequence's.
  index state_of(const SequenceRow& of) const {
    return call_.state_rows ? call_.state_rows[of.sequence] : of.sequence;
  }

  void reset(Span rows, index step, Span outputs, Span units) const {
    for (index r = rows.begin; r < rows.end; ++r) {
      const SequenceRow& of = work_.sequences[r];
      if (of.length <= step || !is_reset(call_.resets, of, step)) continue;
      clear_groups(h_at(step, r), outputs);
      if (Shape::has_memory) clear_groups(c_at(step, r), units);
    }
  }

  /// Makes the first phase's operand.
  void mask_operand(Span rows, index step, Span groups) const {
    for (index r = rows.begin; r < rows.end; ++r) {
      const index at = work_.state_rows[r] * outputs_.row();
      const T* const mask = call_.masks.recurrent + work_.sequences[r].sequence * outputs_.units;
      for (index group = groups.begin; group < groups.end; ++group) {
        const V factor = load_group(mask, outputs_, group);
        store(history_.operand_at(0, step) + at + group * N,
              factor * load(history_.h_at(step) + at + group * N));
      }
    }
  }

  const ForwardCall<T>& call_;
  const History<Shape, T>& history_;
  const ForwardRows& work_;
  const RowLayout<T>& outputs_;  // of h
};

}  // namespace
}  // namespace rnnfast
