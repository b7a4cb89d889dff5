// A cell together with the weights that some units have beside the matrices (cells/cell.hpp), as a
// cell without such weights.
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

template <class Shape>
RNNFAST_BOTH constexpr int unit_weights_of() {
  if constexpr (requires { Shape::unit_weights; }) {
    return Shape::unit_weights;
  } else {
    return 0;
  }
}

/// A cell at a vector of units.
template <class Cell, class V>
struct CellAt {
  const Cell& cell;
  V own[Cell::unit_weights];

  RNNFAST_BOTH State<V> forward(V (&gate)[Cell::parts], State<V> prev) const {
    return cell.forward(gate, prev, own);
  }
  RNNFAST_BOTH void backward(const V (&gate)[Cell::parts], State<V> prev, State<V>& d,
                             V (&delta)[Cell::parts]) const {
    cell.backward(gate, prev, d, delta, own);
  }
};

}  // namespace
}  // namespace rnnfast
