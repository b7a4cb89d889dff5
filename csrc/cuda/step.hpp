// What a cell does in a step once a product is complete, a unit of a row for each thread:
//
//   Stage         gates, and the operand of the next phase
//   Finish        gates, and the state after the step
//   StepBackward  deltas, and what of the gradient of the state before involves no weight
//   Unstage       the deltas that had to wait for the gradient of an operand
//
// All arrays are (B, H), slots and deltas (B, P, H) (cuda/slot.hpp), and B the rows that take the
// step (cuda/step_rows.hpp). Cells with layer normalization are in cuda/normalized_step.hpp.
//
// Kernels are templates over what operands are stored in; T is what they compute in
// (cuda/stored.hpp). What each of them does with its unit, `take`, persistent kernels do as well,
// with products of their own.
#pragma once

#include "cuda/step_rows.hpp"

namespace rnnfast {
namespace {

/// Parts whose deltas wait for the product of a later phase's; all others come after them.
template <class Shape>
RNNFAST_BOTH constexpr Range waiting_parts() {
  return Shape::phases == 2 ? Shape::phase[0] : Range{0, 0};
}

template <int Phase, class Cell, class Stored>
struct Stage {
  using T = ScalarOf<Stored>;
  Cell cell;
  index units;
  T* slots;              // pre-activations; on return the phase's are gates
  const Stored* before;  // h, as the first product met it
  Stored* operand;       // of the next phase

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    T gate[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, slot(own), gate);
    take(m, own, gate, load_as<T>(m, before + own.at));
  }

  /// Returns the operand.
  template <class Machine>
  RNNFAST_BOTH T take(Machine& m, const Element& own, T (&gate)[Cell::parts], T h) const {
    const T staged = cell.template stage<Phase>(gate, h);
    store_as(m, operand + own.at, staged);
    constexpr Range made = Cell::phase[Phase];
    store_parts<made>(m, slot(own), gate);
    return staged;
  }

  RNNFAST_BOTH UnitSlot<Cell, T> slot(const Element& own) const {
    return {slots, own.row, own.unit, units};
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

template <class Cell, class Stored>
struct Finish {
  using T = ScalarOf<Stored>;
  Cell cell;
  index units;
  T* slots;  // pre-activations, gates of phases before; gates on return
  States<const T> before;
  StateAfter<Stored> after;
  const T* of_units;  // (U, H)

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    T gate[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, slot(own), gate);
    take(m, own, gate, state_before<Cell::has_memory>(m, before, own));
  }

  /// Returns h.
  template <class Machine>
  RNNFAST_BOTH T take(Machine& m, const Element& own, T (&gate)[Cell::parts], State<T> prev) const {
    const State<T> state = cell_of_unit(m, cell, of_units, own.unit, units).forward(gate, prev);
    store_parts<Range{0, Cell::parts}>(m, slot(own), gate);
    return after.template leave<Cell::has_memory>(m, own, prev, state);
  }

  RNNFAST_BOTH UnitSlot<Cell, T> slot(const Element& own) const {
    return {slots, own.row, own.unit, units};
  }
};

template <class Cell, class Stored>
struct StepBackward {
  using T = ScalarOf<Stored>;
  Cell cell;
  index units;
  const T* slots;  // gates
  States<const T> before;
  StateGradients<Stored> gradients;
  Stored* deltas;
  T* waiting;  // deltas, of parts that wait; the same where as much is stored as is computed in
  const T* of_units;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    T delta[Cell::parts];
    if (own.is_there()) take(m, own, delta);
  }

  template <class Machine>
  RNNFAST_BOTH void take(Machine& m, const Element& own, T (&delta)[Cell::parts]) const {
    T gate[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, UnitSlot<Cell, const T>(slots, own.row, own.unit, units),
                                      gate);
    const State<T> prev = state_before<Cell::has_memory>(m, before, own);
    State<T> passed;
    State<T> d = gradients.template take<Cell::has_memory>(m, own, passed);
    cell_of_unit(m, cell, of_units, own.unit, units).backward(gate, prev, d, delta);
    constexpr Range wait = waiting_parts<Cell>();
    store_parts<wait>(m, UnitSlot<Cell, T>(waiting, own.row, own.unit, units), delta);
    store_parts<Range{wait.end, Cell::parts}>(
        m, UnitSlot<Cell, Stored>(deltas, own.row, own.unit, units), delta);
    gradients.template give<Cell::has_memory>(m, own, {d.h + passed.h, d.c + passed.c});
  }
};

/// After the product of a phase's deltas; the phase before gets its own.
template <int Phase, class Cell, class Stored>
struct Unstage {
  using T = ScalarOf<Stored>;
  Cell cell;
  index units;
  const T* slots;        // gates
  const Stored* before;  // h, as the first product met it
  const T* d_operand;    // of the later phase
  T* d_h;                // of that h
  const T* waiting;
  Stored* deltas;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    T delta[Cell::parts] = {};
    if (own.is_there()) take(m, own, m.load(d_operand + own.at), delta);
  }

  template <class Machine>
  RNNFAST_BOTH void take(Machine& m, const Element& own, T of_operand,
                         T (&delta)[Cell::parts]) const {
    constexpr Range made = Cell::phase[Phase - 1];
    T gate[Cell::parts];
    load_parts<Range{0, Cell::parts}>(m, UnitSlot<Cell, const T>(slots, own.row, own.unit, units),
                                      gate);
    load_parts<made>(m, UnitSlot<Cell, const T>(waiting, own.row, own.unit, units), delta);
    T dh = m.load(d_h + own.at);
    cell.template unstage<Phase>(gate, load_as<T>(m, before + own.at), of_operand, dh, delta);
    store_parts<made>(m, UnitSlot<Cell, Stored>(deltas, own.row, own.unit, units), delta);
    m.store(d_h + own.at, dh);
  }
};

}  // namespace
}  // namespace rnnfast
