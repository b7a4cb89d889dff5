// The cell's own part of the backward pass, of some rows at one step: deltas from the gradients of
// the states after it, and what of these reaches the step before without passing a weight. A pass
// is compiled once a shape and calls it through a table; it is compiled once a cell.
#pragma once

#include "cells/usual.hpp"
#include "cpu/backward/context.hpp"
#include "cpu/epilogue/projection.hpp"
#include "cpu/epilogue/zoneout.hpp"

namespace rnnfast {
namespace {

/// What a pass asks of a cell. (No virtual functions, as in the forward pass.)
template <class Shape, class T>
class CellBackward {
 public:
  using Context = BackwardContext<Shape, T>;

  /// Deltas of a step from dL/d(state after it); with norms of whole rows.
  void step(const Context& of, const Slots<Shape, T>& deltas, const BackwardStep& step,
            Span groups) const {
    step_(*this, of, deltas, step, groups);
  }
  /// The same from dL/d(what a projection is made of).
  void projected_step(const Context& of, const Slots<Shape, T>& deltas, const BackwardStep& step,
                      Span groups) const {
    projected_step_(*this, of, deltas, step, groups);
  }
  /// Deltas of the parts that led to the second phase's operand, from its gradient.
  void unstage(const Context& of, const Slots<Shape, T>& deltas, const BackwardStep& step,
               Span groups) const {
    unstage_(*this, of, deltas, step, groups);
  }

 protected:
  template <class Cell>
  explicit CellBackward(const Cell*)
      : step_(call<Cell, &Cell::step>),
        projected_step_(call<Cell, &Cell::projected_step>),
        unstage_(call<Cell, &Cell::unstage>) {}

 private:
  template <class Cell, auto function>
  static void call(const CellBackward& cell, const Context& of, const Slots<Shape, T>& deltas,
                   const BackwardStep& step, Span groups) {
    (static_cast<const Cell&>(cell).*function)(of, deltas, step, groups);
  }

  using Function = void (*)(const CellBackward&, const Context&, const Slots<Shape, T>&,
                            const BackwardStep&, Span);
  const Function step_;
  const Function projected_step_;
  const Function unstage_;
};

template <class Cell, class T>
class CellBackwardOf final : public CellBackward<typename Cell::Shape, T> {
  using Shape = typename Cell::Shape;
  using Context = BackwardContext<Shape, T>;
  using L = Layout<Shape, T>;
  using V = Vec<T>;

 public:
  explicit CellBackwardOf(const ActivationChoice* activations)
      : CellBackward<Shape, T>(this), cell_{{}, decltype(Cell::act)(activations)} {}

  void step(const Context& of, const Slots<Shape, T>& deltas, const BackwardStep& step,
            Span groups) const {
    const Masks<T>& masks = of.call.masks;
    masks.kept_h.data ? rows<Zoneout<T>, PlainOutput>(of, masks, deltas, step, groups)
                      : rows<NoZoneout<T>, PlainOutput>(of, masks, deltas, step, groups);
  }

  void projected_step(const Context& of, const Slots<Shape, T>& deltas, const BackwardStep& step,
                      Span groups) const {
    if constexpr (Projectable<Shape>) {
      const Masks<T> masks = of_c(of.call.masks);
      masks.kept_c.data ? rows<Zoneout<T>, ProjectedOutput>(of, masks, deltas, step, groups)
                        : rows<NoZoneout<T>, ProjectedOutput>(of, masks, deltas, step, groups);
    }
  }

  void unstage(const Context& of, const Slots<Shape, T>& deltas, const BackwardStep& step,
               Span groups) const {
    if constexpr (Shape::phases == 2) unstage_phase<1>(of, deltas, step, groups);
  }

 private:
  static_assert(Shape::phases <= 2);
  static constexpr int unit_weights = unit_weights_of<Shape>();

  template <class Zone, class Output>
  void rows(const Context& of, const Masks<T>& masks, const Slots<Shape, T>& deltas,
            const BackwardStep& step, Span groups) const {
    const BackwardWorkspace<Shape, T>& work = of.work;
    const History<Shape, T>& history = of.history;
    const Kept kept(history, step.number);
    const Kept next(history, larger(step.number - 1, history.steps.begin));
    // A copy: for all the compiler knows, the stores change what any reference leads to.
    const L layout = work.layout;
    with_inlined(cell_, [&](const auto& cell) {
      for (index r = step.rows.begin; r < step.rows.end; ++r) {
        const SequenceRow& sequence = work.sequences[r];
        const Zone zone(masks, sequence, step.number);
        const index slot = step.first_row + work.places[r];
        const index at = work.state_rows[r] * layout.row();
        const index d_at = work.d_rows[r] * layout.row();
        const SlotRow<Shape, T> gates = kept.gates_of(work.gate_rows[r]);
        const SlotRow<Shape, T> next_gates = next.gates_of(work.gate_rows[r]);
        const SlotRow<Shape, T> to = deltas.row(slot);
        const T* const state = kept.state + at;
        const T* const next_state = next.state + at;
        const T* const dy = of.dy_at(sequence, step.number);
        const T* const next_dy = step.number > 0 ? dy - of.dy.step_stride : dy;
        T* const dh = (Output::projects ? work.dm : work.dh) + d_at;
        T* const dc = Shape::has_memory ? work.dc + d_at : nullptr;
        T* const new_c = unit_weights > 0 ? work.new_c + slot * layout.row() : nullptr;
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
          if constexpr (Shape::has_memory) {
            prev.c = load(state + lane);
            d.c = load(dc + lane);
          } else {
            prev.h = load(state + lane);
          }
          if constexpr (!Output::projects) d.h = d.h + load_group(dy, layout, group);
          const State<V> passed = zone.split(d, layout, group);
          V delta[L::P];
          cell_at(cell, work.of_units, group).backward(gate, prev, d, delta);
          zone.add(d, passed);
          if constexpr (unit_weights > 0) store(new_c + lane, Cell::memory(gate, prev));
          store_deltas<Shape, T>(to.group(group), {0, L::P}, delta, valid);
          if constexpr (!Output::projects) store(dh + lane, d.h);
          if constexpr (Shape::has_memory) store(dc + lane, d.c);
        }
      }
    });
  }

  template <int Phase>
  void unstage_phase(const Context& of, const Slots<Shape, T>& deltas, const BackwardStep& step,
                     Span groups) const {
    const BackwardWorkspace<Shape, T>& work = of.work;
    const History<Shape, T>& history = of.history;
    const Kept kept(history, step.number);
    const T* const operand = history.operand_at(0, step.number);
    const L layout = work.layout;
    with_inlined(cell_, [&](const auto& cell) {
      for (index r = step.rows.begin; r < step.rows.end; ++r) {
        const SlotRow<Shape, T> gates = kept.gates_of(work.gate_rows[r]);
        const SlotRow<Shape, T> to = deltas.row(step.first_row + work.places[r]);
        const T* const first = operand + work.state_rows[r] * layout.row();
        const index d_at = work.d_rows[r] * layout.row();
        T* const d_first = work.d_operands[0] + d_at;
        const T* const d_operand = work.d_operands[Phase] + d_at;
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
          store_deltas<Shape, T>(slot, Shape::phase[Phase - 1], delta, layout.valid(group));
          store(d_first + lane, d);
        }
      }
    });
  }

  /// What the forward pass has kept of a step.
  struct Kept {
    Slots<Shape, T> slots;
    index first_slot;
    const T* state;  // before the step: of the two the one that going backwards needs

    Kept(const History<Shape, T>& history, index step)
        : slots(history.slots_of(step)),
          first_slot(history.step_row(step)),
          state(Shape::has_memory ? history.c_at(step) : history.h_at(step)) {}
    SlotRow<Shape, T> gates_of(index gate_row) const { return slots.row(first_slot + gate_row); }
  };

  const Cell cell_;
};

}  // namespace
}  // namespace rnnfast
