// The input product of several steps at once: slots = bias + x W_ih^T, one product over
// (step, row), in which steps are no borders for the tiles.
#pragma once

#include "seq/calls.hpp"
#include "seq/history.hpp"
#include "seq/ownership.hpp"
#include "seq/weights.hpp"

namespace rnnfast {
namespace {

template <class T>
inline void copy_vectors(const T* from, T* to, Span elements) {
  for (index i = elements.begin; i < elements.end; i += lanes<T>) store(to + i, load(from + i));
}

/// The parts of a slot that the input product does not feed begin as their bias. `group`: elements
/// of a part in this panel.
template <class Cell, class T>
inline void start_other_parts(const T* bias, T* slot, index group) {
  copy_vectors(bias, slot, {0, Cell::input.begin * group});
  copy_vectors(bias, slot, {Cell::input.end * group, Cell::parts * group});
}

template <class Cell, class T, class Keep>
class InputProduct {
  using L = Layout<Cell, T>;

 public:
  /// Of a pass, whose own copies of all this it reads. `x_offsets` and `slot_numbers` have room for
  /// the rows of a chunk.
  InputProduct(const ForwardCall<T>& call, const ForwardWeights<Cell, T>& weights,
               const History<Cell, T, Keep>& history, const Ownership& own, const SequenceRow* rows,
               const index* gate_rows, index* x_offsets, index* slot_numbers)
      : call_(call),
        weights_(weights),
        history_(history),
        layout_(history.layout),
        own_(own),
        runs_(call.dims.inputs),
        rows_(rows),
        gate_rows_(gate_rows),
        x_offsets_(x_offsets),
        slot_numbers_(slot_numbers) {}

  /// Fill this worker's part of the slots of steps [begin, begin + steps), all of one chunk.
  void fill(index begin, index steps) {
    const Slots<Cell, T> slots = history_.slots_of(begin);
    const index count = list_own_rows(begin, steps);
    const index block = larger(largest_tile_rows, x_block_elements / call_.dims.inputs);
    for (index first = 0; first < count; first += block) {
      for (index panel = own_.panels.begin; panel < own_.panels.end; ++panel) {
        fill_panel(slots, panel, {first, smaller(first + block, count)});
      }
    }
  }

 private:
  // Rows of x that stay in L2 while all panels of W_ih pass over them.
  static constexpr index x_block_elements = 96 * 1024;

  /// The offsets in x and the slots of this worker's rows, as far as they go on; returns their
  /// count.
  index list_own_rows(index begin, index steps) {
    index count = 0;
    Span active = own_.rows;
    for (index step = begin; step < begin + steps; ++step) {
      active = active_rows(rows_, own_.rows, active, step);
      for (index r = active.begin; r < active.end; ++r, ++count) {
        x_offsets_[count] =
            (rows_[r].first + step) * call_.x.step_stride + rows_[r].sequence * call_.x.row_stride;
        slot_numbers_[count] = history_.step_row(step) + gate_rows_[r];
      }
    }
    return count;
  }

  void fill_panel(const Slots<Cell, T>& slots, index panel, Span rows) {
    const index group = layout_.width(panel) * L::N;
    const T* bias = weights_.bias_panel(panel);
    const Rows<T> c = {slots.panel(panel), slot_numbers_ + rows.begin, layout_.slot(panel)};
    multiply<T>(Dense<T>{{call_.x.data, x_offsets_ + rows.begin, 1}, runs_},
                weights_.input.panel(panel), {0, weights_.input.vectors(panel)},
                {bias + Cell::input.begin * group, c.offset, 0},
                {c.base + Cell::input.begin * group, c.offset, c.stride}, rows.size(),
                [&](index row, index count) {
                  for (index i = row; i < row + count; ++i) {
                    start_other_parts<Cell>(bias, c.at(i), group);
                  }
                });
  }

  const ForwardCall<T>& call_;
  const ForwardWeights<Cell, T>& weights_;
  const History<Cell, T, Keep>& history_;
  const L& layout_;
  const Ownership& own_;
  const DenseRuns runs_;
  const SequenceRow* const rows_;
  const index* const gate_rows_;
  index* const x_offsets_;
  index* const slot_numbers_;
};

}  // namespace
}  // namespace rnnfast
