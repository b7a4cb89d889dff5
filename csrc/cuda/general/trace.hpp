// What a pass has kept of every step, in arrays that a person can read: its gates, and the memory
// after it where the cell has one. (All h are y.) Gates of cells with layer normalization are made
// again, from v^.
#pragma once

#include "cuda/general/forward.hpp"

namespace rnnfast {
namespace {

template <class Cell, class Stored>
struct WriteTrace {
  using T = ScalarOf<Stored>;
  Cell cell;
  index units;
  const T* slots;     // (N, P, H): gates, or v^
  const T* c_before;  // (N, H)
  NormArrays<T> norm;
  Places places;
  Sequence<Stored> gates;  // (T, B, G*H)
  Sequence<Stored> c;      // (T, B, H)

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const Place place = places.at(m, own.row);
    T gate[Cell::gates];
    find<0>(m, own, gate);
    Stored* const to = at(gates, place) + own.unit;
    RNNFAST_UNROLL(16)
    for (int g = 0; g < Cell::gates; ++g) store_as(m, to + g * units, gate[g]);
    if constexpr (Cell::has_memory) {
      const State<T> prev = {T(0), m.load(c_before + own.at)};
      store_as(m, at(c, place) + own.unit, Cell::memory(gate, prev));
    }
  }

 private:
  RNNFAST_BOTH static Stored* at(const Sequence<Stored>& of, const Place& place) {
    return of.data + place.step * of.step_stride + place.sequence * of.row_stride;
  }

  /// The part that holds a gate: the first one that the gate's weights feed.
  static consteval int part_of(int gate) {
    int part = 0;
    while (Cell::gate_of[part] != gate) ++part;
    return part;
  }

  template <int g, class Machine>
  RNNFAST_BOTH void find(Machine& m, const Element& own, T (&gate)[Cell::gates]) const {
    if constexpr (Normalized<Cell>) {
      T part[Cell::parts];
      NormalizedRow<Cell, T>{slots, norm, own.row, units}.parts_and_gates(m, cell, own.unit, part,
                                                                          gate);
    } else {
      constexpr int part = part_of(g);
      gate[g] = m.load(UnitSlot<Cell, const T>(slots, own.row, own.unit, units).part(part));
      if constexpr (g + 1 < Cell::gates) find<g + 1>(m, own, gate);
    }
  }
};

}  // namespace
}  // namespace rnnfast
