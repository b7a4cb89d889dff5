// What a cell does in a step once a product is complete, a unit of a row for each thread:
//
//   Stage         gates, and the operand of the next phase
//   Finish        gates, and the state after the step
//   StepBackward  deltas, and what of the gradient of the state before involves no weight
//   Unstage       the deltas that had to wait for the gradient of an operand
//
// All arrays are (B, H), slots and deltas (B, P, H) (cuda/slot.hpp), and B the rows that take the
// step. Cells with layer normalization are in cuda/normalized_step.hpp.
#pragma once

#include "call/passes.hpp"
#include "cuda/slot.hpp"

namespace rnnfast {
namespace {

template <int Phase, class Cell, class T>
struct Stage {
  Cell cell;
  index units;
  T* slots;         // pre-activations; on return the phase's are gates
  const T* before;  // h
  T* operand;       // of the next phase

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (own.unit >= units) return;
    const UnitSlot<Cell, T> slot(slots, own.row, own.unit, units);
    T gate[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, slot, gate);
    m.store(operand + own.at, cell.template stage<Phase>(gate, m.load(before + own.at)));
    constexpr Range made = Cell::phase[Phase];
    store_parts<made>(m, slot, gate);
  }
};

template <class Cell, class T>
struct Finish {
  Cell cell;
  index units;
  T* slots;  // pre-activations, gates of phases before; gates on return
  States<const T> before;
  States<T> after;
  const T* of_units;  // (U, H)

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (own.unit >= units) return;
    const UnitSlot<Cell, T> slot(slots, own.row, own.unit, units);
    T gate[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, slot, gate);
    State<T> prev = {m.load(before.h + own.at), T(0)};
    if constexpr (Cell::has_memory) prev.c = m.load(before.c + own.at);
    const State<T> state = cell_of_unit(m, cell, of_units, own.unit, units).forward(gate, prev);
    store_parts<Range{0, Cell::parts}>(m, slot, gate);
    m.store(after.h + own.at, state.h);
    if constexpr (Cell::has_memory) m.store(after.c + own.at, state.c);
  }
};

template <class Cell, class T>
struct StepBackward {
  Cell cell;
  index units;
  const T* slots;  // gates
  States<const T> before;
  States<T> d;  // of the state after the step; on return of that before it
  T* deltas;
  const T* of_units;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (own.unit >= units) return;
    T gate[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, UnitSlot<Cell, const T>(slots, own.row, own.unit, units),
                                      gate);
    State<T> prev = {m.load(before.h + own.at), T(0)};
    State<T> d_state = {m.load(d.h + own.at), T(0)};
    if constexpr (Cell::has_memory) {
      prev.c = m.load(before.c + own.at);
      d_state.c = m.load(d.c + own.at);
    }
    T delta[Cell::parts];
    cell_of_unit(m, cell, of_units, own.unit, units).backward(gate, prev, d_state, delta);
    store_parts<Range{0, Cell::parts}>(m, UnitSlot<Cell, T>(deltas, own.row, own.unit, units),
                                       delta);
    m.store(d.h + own.at, d_state.h);
    if constexpr (Cell::has_memory) m.store(d.c + own.at, d_state.c);
  }
};

/// After the product of a phase's deltas; the phase before gets its own.
template <int Phase, class Cell, class T>
struct Unstage {
  Cell cell;
  index units;
  const T* slots;      // gates
  const T* before;     // h
  const T* d_operand;  // of the later phase
  T* d_h;              // of h before the step
  T* deltas;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (own.unit >= units) return;
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
