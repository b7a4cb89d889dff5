// What a cell does in a step once a product is complete, a unit of a row for each thread:
//
//   stage          gates, and the operand of the next phase
//   finish         gates, and the state after the step
//   step_backward  deltas, and what of the gradient of the state before involves no weight
//   unstage        the deltas that had to wait for the gradient of an operand
//
// All arrays are (B, H), slots (B, P, H) (cuda/slot.hpp), and B the rows that take the step. Cells
// with layer normalization are in cuda/normalized_step.hpp.
#pragma once

#include "call/passes.hpp"
#include "cuda/slot.hpp"

namespace rnnfast {
namespace {

template <class T>
struct StageCall {
  index units;
  T* slots;         // pre-activations; on return the phase's are gates
  const T* before;  // h
  T* operand;       // of the next phase
};

template <int Phase, class Cell, class T, class Machine>
RNNFAST_BOTH void stage(Machine& m, const Cell& cell, const StageCall<T>& call) {
  const Element own = element_of(m, call.units);
  if (own.unit >= call.units) return;
  const UnitSlot<Cell, T> slot(call.slots, own.row, own.unit, call.units);
  T gate[Cell::parts];
  load_parts<Range{0, Cell::parts}>(m, slot, gate);
  m.store(call.operand + own.at, cell.template stage<Phase>(gate, m.load(call.before + own.at)));
  constexpr Range made = Cell::phase[Phase];
  store_parts<made>(m, slot, gate);
}

template <class T>
struct FinishCall {
  index units;
  T* slots;  // pre-activations, gates of phases before; gates on return
  States<const T> before;
  States<T> after;
  const T* of_units;  // (U, H)
};

template <class Cell, class T, class Machine>
RNNFAST_BOTH void finish(Machine& m, const Cell& cell, const FinishCall<T>& call) {
  const Element own = element_of(m, call.units);
  if (own.unit >= call.units) return;
  const UnitSlot<Cell, T> slot(call.slots, own.row, own.unit, call.units);
  T gate[Cell::parts];
  load_parts<Range{0, Cell::parts}>(m, slot, gate);
  State<T> prev = {m.load(call.before.h + own.at), T(0)};
  if constexpr (Cell::has_memory) prev.c = m.load(call.before.c + own.at);
  const State<T> state =
      cell_of_unit(m, cell, call.of_units, own.unit, call.units).forward(gate, prev);
  store_parts<Range{0, Cell::parts}>(m, slot, gate);
  m.store(call.after.h + own.at, state.h);
  if constexpr (Cell::has_memory) m.store(call.after.c + own.at, state.c);
}

template <class T>
struct StepBackwardCall {
  index units;
  const T* slots;  // gates
  States<const T> before;
  States<T> d;  // of the state after the step; on return of that before it
  T* deltas;    // (B, P, H)
  const T* of_units;
};

template <class Cell, class T, class Machine>
RNNFAST_BOTH void step_backward(Machine& m, const Cell& cell, const StepBackwardCall<T>& call) {
  const Element own = element_of(m, call.units);
  if (own.unit >= call.units) return;
  T gate[Cell::parts];
  load_parts<Range{0, Cell::parts}>(
      m, UnitSlot<Cell, const T>(call.slots, own.row, own.unit, call.units), gate);
  State<T> prev = {m.load(call.before.h + own.at), T(0)};
  State<T> d = {m.load(call.d.h + own.at), T(0)};
  if constexpr (Cell::has_memory) {
    prev.c = m.load(call.before.c + own.at);
    d.c = m.load(call.d.c + own.at);
  }
  T delta[Cell::parts];
  cell_of_unit(m, cell, call.of_units, own.unit, call.units).backward(gate, prev, d, delta);
  store_parts<Range{0, Cell::parts}>(
      m, UnitSlot<Cell, T>(call.deltas, own.row, own.unit, call.units), delta);
  m.store(call.d.h + own.at, d.h);
  if constexpr (Cell::has_memory) m.store(call.d.c + own.at, d.c);
}

template <class T>
struct UnstageCall {
  index units;
  const T* slots;      // gates
  const T* before;     // h
  const T* d_operand;  // of the later phase
  T* d_h;              // of h before the step
  T* deltas;
};

/// After the product of a phase's deltas; the phase before gets its own.
template <int Phase, class Cell, class T, class Machine>
RNNFAST_BOTH void unstage(Machine& m, const Cell& cell, const UnstageCall<T>& call) {
  const Element own = element_of(m, call.units);
  if (own.unit >= call.units) return;
  const UnitSlot<Cell, T> deltas(call.deltas, own.row, own.unit, call.units);
  T gate[Cell::parts];
  T delta[Cell::parts];
  load_parts<Range{0, Cell::parts}>(
      m, UnitSlot<Cell, const T>(call.slots, own.row, own.unit, call.units), gate);
  load_parts<Range{0, Cell::parts}>(m, deltas, delta);
  T d_h = m.load(call.d_h + own.at);
  cell.template unstage<Phase>(gate, m.load(call.before + own.at), m.load(call.d_operand + own.at),
                               d_h, delta);
  constexpr Range made = Cell::phase[Phase - 1];
  store_parts<made>(m, deltas, delta);
  m.store(call.d_h + own.at, d_h);
}

}  // namespace
}  // namespace rnnfast
