// Slots of a step, (B, P, H): what a product adds to lies side by side in each row.
#pragma once

#include "cells/cell_at.hpp"
#include "cuda/stored.hpp"

namespace rnnfast {
namespace {

/// The parts of one unit of one row.
template <class Shape, class T>
struct UnitSlot {
  T* first;
  index units;

  RNNFAST_BOTH UnitSlot(T* slots, index row, index unit, index units)
      : first(slots + row * Shape::parts * units + unit), units(units) {}

  RNNFAST_BOTH T* part(int p) const { return first + p * units; }
};

template <Range parts, class Slot, class Machine, class T, int P>
RNNFAST_BOTH inline void load_parts(Machine& m, const Slot& slot, T (&to)[P]) {
  RNNFAST_UNROLL(16)
  for (int p = parts.begin; p < parts.end; ++p) to[p] = load_as<T>(m, slot.part(p));
}

template <Range parts, class Slot, class Machine, class T, int P>
RNNFAST_BOTH inline void store_parts(Machine& m, const Slot& slot, const T (&from)[P]) {
  RNNFAST_UNROLL(16)
  for (int p = parts.begin; p < parts.end; ++p) store_as(m, slot.part(p), from[p]);
}

/// What has the cell's functions for one unit; `of_units`, (U, H), are the weights of all.
template <class Cell, class T, class Machine>
RNNFAST_BOTH inline decltype(auto) cell_of_unit(Machine& m, const Cell& cell, const T* of_units,
                                                index unit, index units) {
  constexpr int count = unit_weights_of<Cell>();
  if constexpr (count > 0) {
    CellAt<Cell, T> found = {cell, {}};
    RNNFAST_UNROLL(4)
    for (int i = 0; i < count; ++i) found.own[i] = m.load(of_units + i * units + unit);
    return found;
  } else {
    return (cell);
  }
}

}  // namespace
}  // namespace rnnfast
