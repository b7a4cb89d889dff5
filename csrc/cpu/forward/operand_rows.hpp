// Where the products of a pass find the rows of A: in the history and the caller's x, or in rows of
// their own, which are made of those once these are complete (cpu/layout/operands.hpp).
#pragma once

#include "cpu/forward/context.hpp"

namespace rnnfast {
namespace {

/// For a format that takes them as they are.
template <class Shape, class F>
class OperandRows {
  using A = typename F::A;
  using Step = ForwardStep<Shape, A>;
  static_assert(!rounds_operands<F>);

 public:
  explicit OperandRows(const ForwardContext<Shape, F>& of)
      : call_(of.call),
        state_rows_(of.work.state_rows),
        outputs_(of.history.outputs.row()),
        m_(of.history.layout.row()) {}

  Rows<const A> recurrent(int phase, const Step& step, const Share&) const {
    return {step.operands[phase], state_rows_ + step.rows.begin, outputs_};
  }
  Rows<const A> projected(const Step& step) const {
    return {step.m, state_rows_ + step.rows.begin, m_};
  }
  /// Rows of x that begin at some elements of it.
  Rows<const A> inputs(const index* offsets, index, const Share&) const {
    return {call_.x.data, offsets, 1};
  }
  index inputs_at_once() const { return larger(largest_tile_rows, x_block / call_.dims.inputs); }

  void made(int, index, Span, Span) const {}
  void made_m(index, Span, Span) const {}
  void will_make(int, index, Span, Span) const {}
  void begin(int, const Step&, const Share&) const {}

 private:
  const ForwardCall<A>& call_;
  const index* const state_rows_;
  const index outputs_;
  const index m_;
};

/// For one that rounds them.
template <class Shape, class F>
  requires rounds_operands<F>
class OperandRows<Shape, F> {
  using A = typename F::A;
  using T = typename F::Sum;
  using Step = ForwardStep<Shape, T>;
  static constexpr index N = lanes<T>;

 public:
  explicit OperandRows(const ForwardContext<Shape, F>& of)
      : call_(of.call), history_(of.history), rows_(of.work), own_(of.work.operands) {}

  Rows<const A> recurrent(int phase, const Step& step, const Share&) const {
    return {at(own_.recurrent[phase], own_.row, step.number), rows_.state_rows + step.rows.begin,
            own_.row};
  }
  Rows<const A> projected(const Step& step) const {
    return {at(own_.m, own_.m_row, step.number), rows_.state_rows + step.rows.begin, own_.m_row};
  }
  /// Copies that a share makes.
  Rows<const A> inputs(const index* offsets, index count, const Share& share) const {
    A* const x = own_.x + share.id * own_.x_rows * own_.x_row;
    index* const numbers = own_.x_numbers + share.id * own_.x_rows;
    for (index i = 0; i < count; ++i) {
      numbers[i] = i;
      round_row(call_.x.data + offsets[i], call_.dims.inputs, x + i * own_.x_row);
    }
    return {x, numbers, own_.x_row};
  }
  index inputs_at_once() const { return own_.x_rows; }

  /// Some groups of what a phase multiplies at a step are there.
  void made(int phase, index step, Span rows, Span groups) const {
    round_groups(history_.operand_at(phase, step), history_.outputs.row(),
                 at(own_.recurrent[phase], own_.row, step), own_.row, rows, groups);
  }
  /// Likewise of m.
  void made_m(index step, Span rows, Span groups) const {
    round_groups(history_.m_at(step), history_.layout.row(), at(own_.m, own_.m_row, step),
                 own_.m_row, rows, groups);
  }
  void will_make(int, index, Span, Span) const {}
  /// A share begins with a phase's product.
  void begin(int, const Step&, const Share&) const {}

 private:
  A* at(A* rows, index row, index step) const { return rows + history_.state_row_of(step) * row; }

  void round_groups(const T* from, index from_row, A* to, index to_row, Span rows,
                    Span groups) const {
    for (index r = rows.begin; r < rows.end; ++r) {
      const T* const states = from + rows_.state_rows[r] * from_row;
      A* const operand = to + rows_.state_rows[r] * to_row;
      for (index group = groups.begin; group < groups.end; ++group) {
        F::round(load(states + group * N), operand + group * (N / F::group));
      }
    }
  }

  static void round_row(const T* from, index length, A* to) {
    for (; length >= N; from += N, to += N / F::group, length -= N) F::round(load(from), to);
    if (length > 0) F::round(load_first(from, length), to);
  }

  const ForwardCall<T>& call_;
  const History<Shape, T>& history_;
  const ForwardRows& rows_;
  const Operands<Shape, F>& own_;
};

}  // namespace
}  // namespace rnnfast
