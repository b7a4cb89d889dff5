// What a cell does in a step once a product is complete, a unit of a row for each thread:
//
//   Stage         gates, and the operand of the next phase
//   Finish        gates, and the state after the step
//   StepBackward  deltas, and what of the gradient of the state before involves no weight
//   Unstage       the deltas that had to wait for the gradient of an operand
//
// All arrays are (B, H), slots and deltas (B, P, H) (cuda/slot.hpp), and B the rows that take the
// step (cuda/step_rows.hpp). Cells with layer normalization are in cuda/normalized_step.hpp.
#pragma once

#include "cuda/step_rows.hpp"

namespace rnnfast {
namespace {

template <int Phase, class Cell, class T>
struct Stage {
  Cell cell;
  index units;
  T* slots;         // pre-activations; on return the phase's are gates
  const T* before;  // h, as the first product met it
  T* operand;       // of the next phase

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const UnitSlot<Cell, T> slot(slots, own.row, own.unit, units);
    T gate[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, slot, gate);
    m.store(operand + own.at, cell.template stage<Phase>(gate, m.load(before + own.at)));
    constexpr Range made = Cell::phase[Phase];
    store_parts<made>(m, slot, gate);
  }
};

/// h is null where it is not as wide as there are units: a cell with a memory does without.
template <bool has_memory, class T, class Machine>
RNNFAST_BOTH inline State<T> state_before(Machine& m, const States<const T>& before,
                                          const Element& own) {
  State<T> prev = {before.h ? m.load(before.h + own.at) : T(0), T(0)};
  if constexpr (has_memory) prev.c = m.load(before.c + own.at);
  return prev;
}

template <class Cell, class T>
struct Finish {
  Cell cell;
  index units;
  T* slots;  // pre-activations, gates of phases before; gates on return
  States<const T> before;
  StateAfter<T> after;
  const T* of_units;  // (U, H)

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const UnitSlot<Cell, T> slot(slots, own.row, own.unit, units);
    T gate[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, slot, gate);
    const State<T> prev = state_before<Cell::has_memory>(m, before, own);
    const State<T> state = cell_of_unit(m, cell, of_units, own.unit, units).forward(gate, prev);
    store_parts<Range{0, Cell::parts}>(m, slot, gate);
    after.template leave<Cell::has_memory>(m, own, prev, state);
  }
};

template <class Cell, class T>
struct StepBackward {
  Cell cell;
  index units;
  const T* slots;  // gates
  States<const T> before;
  StateGradients<T> gradients;
  T* deltas;
  const T* of_units;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    T gate[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, UnitSlot<Cell, const T>(slots, own.row, own.unit, units),
                                      gate);
    const State<T> prev = state_before<Cell::has_memory>(m, before, own);
    State<T> passed;
    State<T> d = gradients.template take<Cell::has_memory>(m, own, passed);
    T delta[Cell::parts];
    cell_of_unit(m, cell, of_units, own.unit, units).backward(gate, prev, d, delta);
    store_parts<Range{0, Cell::parts}>(m, UnitSlot<Cell, T>(deltas, own.row, own.unit, units),
                                       delta);
    gradients.template give<Cell::has_memory>(m, own, {d.h + passed.h, d.c + passed.c});
  }
};

/// After the product of a phase's deltas; the phase before gets its own.
template <int Phase, class Cell, class T>
struct Unstage {
  Cell cell;
  index units;
  const T* slots;      // gates
  const T* before;     // h, as the first product met it
  const T* d_operand;  // of the later phase
  T* d_h;              // of that h
  T* deltas;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const UnitSlot<Cell, T> to(deltas, own.row, own.unit, units);
    T gate[Cell::parts];
    T delta[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, UnitSlot<Cell, const T>(slots, own.row, own.unit, units),
                                      gate);
    load_parts<Range{0, Cell::parts}>(m, to, delta);
    T dh = m.load(d_h + own.at);
    cell.template unstage<Phase>(gate, m.load(before + own.at), m.load(d_operand + own.at), dh,
                                 delta);
    constexpr Range made = Cell::phase[Phase - 1];
    store_parts<made>(m, to, delta);
    m.store(d_h + own.at, dh);
  }
};

}  // namespace
}  // namespace rnnfast
