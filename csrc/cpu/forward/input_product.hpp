// The input product of several steps at once: slots = bias + x W_ih^T, one product over
// (step, row), in which steps are no borders for the tiles.
#pragma once

#include "cpu/forward/operand_rows.hpp"
#include "cpu/plan/ownership.hpp"

namespace rnnfast {
namespace {

template <class T>
inline void copy_vectors(const T* from, T* to, Span elements) {
  for (index i = elements.begin; i < elements.end; i += lanes<T>) store(to + i, load(from + i));
}

/// The parts of a slot that the input product does not feed begin as their bias. `group`: elements
/// of a part in this panel.
template <class Shape, class T>
inline void start_other_parts(const T* bias, T* slot, index group) {
  copy_vectors(bias, slot, {0, Shape::input.begin * group});
  copy_vectors(bias, slot, {Shape::input.end * group, Shape::parts * group});
}

template <class Shape, class F>
class InputProduct {
  using T = typename F::Sum;
  using L = Layout<Shape, T>;

 public:
  explicit InputProduct(const ForwardContext<Shape, F>& of)
      : call_(of.call),
        weights_(of.weights),
        history_(of.history),
        layout_(of.history.layout),
        work_(of.work),
        operands_(of),
        runs_(dense_runs<F>(of.call.dims.inputs)) {}

  /// The runs over x.
  const DenseRuns& runs() const { return runs_; }

  /// Fill some panels of the slots of steps [begin, begin + steps), all of one chunk.
  [[gnu::noinline]] void fill(index begin, index steps, Span rows, Span panels, const Share& own) {
    const Slots<Shape, T> slots = history_.slots_of(begin);
    const RowList list = {work_.x_offsets + own.id * work_.chunk_rows,
                          work_.slot_numbers + own.id * work_.chunk_rows};
    const index count = fill_list(begin, steps, rows, list);
    const index block = operands_.inputs_at_once();
    for (index first = 0; first < count; first += block) {
      const Span some = {first, smaller(first + block, count)};
      const auto x = operands_.inputs(list.x_offsets + some.begin, some.size(), own);
      for (index panel = panels.begin; panel < panels.end; ++panel) {
        fill_panel(slots, panel, x, some.size(), list.slot_numbers + some.begin);
        own.worked(some.size() * layout_.slot(panel) * (call_.dims.inputs + L::N));
      }
    }
  }

 private:
  /// Of the rows of a share: where each is in x, and the number of its slot.
  struct RowList {
    index* x_offsets;
    index* slot_numbers;
  };

  /// Lists rows at some steps, as far as they go on; returns how many.
  index fill_list(index begin, index steps, Span rows, const RowList& list) {
    const SequenceRow* const of = work_.sequences;
    index count = 0;
    Span active = rows;
    for (index step = begin; step < begin + steps; ++step) {
      active = active_rows(of, rows, active, step);
      for (index r = active.begin; r < active.end; ++r, ++count) {
        list.x_offsets[count] =
            (of[r].first + step) * call_.x.step_stride + of[r].sequence * call_.x.row_stride;
        list.slot_numbers[count] = history_.step_row(step) + work_.gate_rows[r];
      }
    }
    return count;
  }

  template <class Operand>
  void fill_panel(const Slots<Shape, T>& slots, index panel, const Operand& x, index rows,
                  const index* slot_numbers) {
    const index group = layout_.width(panel) * L::N;
    const T* bias = weights_.bias_panel(panel);
    const Rows<T> c = {slots.panel(panel), slot_numbers, layout_.slot(panel)};
    multiply<F>(Dense<F>{x, runs_}, weights_.input.panel(panel), {0, weights_.input.vectors(panel)},
                {bias + Shape::input.begin * group, c.offset, 0},
                {c.base + Shape::input.begin * group, c.offset, c.stride}, rows,
                [&](index row, index count) {
                  for (index i = row; i < row + count; ++i) {
                    start_other_parts<Shape>(bias, c.at(i), group);
                  }
                });
  }

  const ForwardCall<T>& call_;
  const ForwardWeights<Shape, F>& weights_;
  const History<Shape, T>& history_;
  const L& layout_;
  const ForwardWorkspace<Shape, F>& work_;
  const OperandRows<Shape, F> operands_;
  const DenseRuns runs_;
};

}  // namespace
}  // namespace rnnfast
