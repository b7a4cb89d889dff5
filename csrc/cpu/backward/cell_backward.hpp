// The cell's own part of the backward pass, of some rows at one step: deltas from the gradients of
// the states after it, and what of these reaches the step before without passing a weight.
#pragma once

#include "cells/usual.hpp"
#include "cpu/backward/workspace.hpp"
#include "cpu/epilogue/projection.hpp"
#include "cpu/epilogue/zoneout.hpp"

namespace rnnfast {
namespace {

/// Where a step stands in a chunk's deltas, and those of a worker's rows that take part in it.
struct BackwardStep {
  index number;
  index first_row;
  Span rows;
};

template <class Cell, class T>
class CellBackward {
  using L = Layout<Cell, T>;
  using V = Vec<T>;
  using Work = BackwardWorkspace<Cell, T>;

 public:
  /// Of a pass, whose own copies of all this it uses.
  CellBackward(const Cell& cell, const History<Cell, T, KeepAll>& history, const Work& work,
               const Sequence<const T>& dy)
      : cell_(cell), history_(history), work_(work), dy_(dy) {}

  /// Deltas of a step from dL/d(what the cell gives) and dL/dc after it.
  template <class Zone, class Output>
  void rows(const Masks<T>& masks, const Slots<Cell, T>& deltas, const BackwardStep& step,
            Span groups) const {
    const Kept kept(history_, step.number);
    const Kept next(history_, larger(step.number - 1, history_.steps.begin));
    // A copy: for all the compiler knows, the stores change what any reference leads to.
    const L layout = work_.layout;
    with_inlined(cell_, [&](const auto& cell) {
      for (index r = step.rows.begin; r < step.rows.end; ++r) {
        const SequenceRow& of = work_.sequences[r];
        const Zone zone(masks, of, step.number);
        const index slot = step.first_row + of.rank;
        const index at = work_.state_rows[r] * layout.row();
        const index d_at = work_.d_rows[r] * layout.row();
        const SlotRow<Cell, T> gates = kept.gates_of(work_.gate_rows[r]);
        const SlotRow<Cell, T> next_gates = next.gates_of(work_.gate_rows[r]);
        const SlotRow<Cell, T> to = deltas.row(slot);
        const T* const state = kept.state + at;
        const T* const next_state = next.state + at;
        const T* const dy =
            dy_.data + (of.first + step.number) * dy_.step_stride + of.sequence * dy_.row_stride;
        const T* const next_dy = step.number > 0 ? dy - dy_.step_stride : dy;
        T* const dh = (Output::projects ? work_.dm : work_.dh) + d_at;
        T* const dc = Cell::has_memory ? work_.dc + d_at : nullptr;
        T* const new_c = Work::unit_weights > 0 ? work_.new_c + slot * layout.row() : nullptr;
        for (index group = groups.begin; group < groups.end; ++group) {
          const index lane = group * L::N;
          const index valid = layout.valid(group);
          if (begins_line<T>(group)) {
            const SlotGroup<T> gate = next_gates.group(group);
            for (int p = 0; p < L::P; ++p) ask_to_read(gate.part(p));
            ask_to_read(next_state + lane);
            if (!Output::projects) ask_to_read(next_dy + lane);
          }
          const SlotGroup<T> from = gates.group(group);
          V gate[L::P];
          for (int p = 0; p < L::P; ++p) gate[p] = load<T>(from.part(p));
          State<V> prev = {V{}, V{}};
          State<V> d = {load(dh + lane), V{}};
          if constexpr (Cell::has_memory) {
            prev.c = load(state + lane);
            d.c = load(dc + lane);
          } else {
            prev.h = load(state + lane);
          }
          if constexpr (!Output::projects) d.h = d.h + load_group(dy, layout, group);
          const State<V> passed = zone.split(d, layout, group);
          V delta[L::P];
          cell_at(cell, work_.of_units, group).backward(gate, prev, d, delta);
          zone.add(d, passed);
          if constexpr (Work::unit_weights > 0) store(new_c + lane, Cell::memory(gate, prev));
          store_deltas<Cell, T>(to.group(group), {0, L::P}, delta, valid);
          if constexpr (!Output::projects) store(dh + lane, d.h);
          if constexpr (Cell::has_memory) store(dc + lane, d.c);
        }
      }
    });
  }

  /// Deltas of the parts that led to the operand of a phase, from its gradient.
  template <int Phase>
  void unstage(const Slots<Cell, T>& deltas, const BackwardStep& step, Span groups) const {
    const Kept kept(history_, step.number);
    const T* const operand = history_.operand_at(0, step.number);
    const L layout = work_.layout;
    with_inlined(cell_, [&](const auto& cell) {
      for (index r = step.rows.begin; r < step.rows.end; ++r) {
        const SlotRow<Cell, T> gates = kept.gates_of(work_.gate_rows[r]);
        const SlotRow<Cell, T> to = deltas.row(step.first_row + work_.ranks[r]);
        const T* const first = operand + work_.state_rows[r] * layout.row();
        const index d_at = work_.d_rows[r] * layout.row();
        T* const d_first = work_.d_operands[0] + d_at;
        const T* const d_operand = work_.d_operands[Phase] + d_at;
        for (index group = groups.begin; group < groups.end; ++group) {
          const index lane = group * L::N;
          const SlotGroup<T> from = gates.group(group);
          const SlotGroup<T> slot = to.group(group);
          V gate[L::P];
          V delta[L::P];
          for (int p = 0; p < L::P; ++p) gate[p] = load<T>(from.part(p));
          for (int p = 0; p < L::P; ++p) delta[p] = load<T>(slot.part(p));
          V d = load(d_first + lane);
          cell.template unstage<Phase>(gate, load(first + lane), load(d_operand + lane), d, delta);
          store_deltas<Cell, T>(slot, Cell::phase[Phase - 1], delta, layout.valid(group));
          store(d_first + lane, d);
        }
      }
    });
  }

 private:
  /// What the forward pass has kept of a step.
  struct Kept {
    Slots<Cell, T> slots;
    index first_slot;
    const T* state;  // before the step: of the two the one that going backwards needs

    Kept(const History<Cell, T, KeepAll>& history, index step)
        : slots(history.slots_of(step)),
          first_slot(history.step_row(step)),
          state(Cell::has_memory ? history.c_at(step) : history.h_at(step)) {}
    SlotRow<Cell, T> gates_of(index gate_row) const { return slots.row(first_slot + gate_row); }
  };

  const Cell& cell_;
  const History<Cell, T, KeepAll>& history_;
  const Work& work_;
  const Sequence<const T>& dy_;
};

}  // namespace
}  // namespace rnnfast
