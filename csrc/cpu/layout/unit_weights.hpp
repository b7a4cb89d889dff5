// Weights that a cell has beside its matrices, a number for each unit (cells/cell.hpp): the
// caller's (rows, H), copied into whole vectors, and the cell together with those of a group. An
// absent array is zero. Of a cell without them nothing is kept, and it stands for itself.
#pragma once

#include "cells/cell_at.hpp"
#include "cpu/layout/layout.hpp"

namespace rnnfast {
namespace {

/// [row][group][N]
template <class Shape, class T>
struct UnitWeights {
  using L = Layout<Shape, T>;
  static constexpr int rows = unit_weights_of<Shape>();
  L layout;
  T* packed = nullptr;

  void place(Bump& bump) {
    if constexpr (rows > 0) packed = bump.take<T>(rows * row());
  }

  void pack(const T* from, Span groups) const {
    for (int weight = 0; weight < rows; ++weight) {
      for (index group = groups.begin; group < groups.end; ++group) {
        store(packed + weight * row() + group * L::N,
              from ? load_first(from + weight * layout.units + group * L::N, layout.valid(group))
                   : Vec<T>{});
      }
    }
  }

  /// Of the cell whose weights these are, with whatever activations.
  template <class Cell>
  CellAt<Cell, Vec<T>> at(const Cell& cell, index group) const {
    CellAt<Cell, Vec<T>> found = {cell, {}};
    for (int weight = 0; weight < rows; ++weight) {
      found.own[weight] = load(packed + weight * row() + group * L::N);
    }
    return found;
  }

 private:
  index row() const { return layout.groups() * L::N; }
};

/// What has the cell's functions for a group of units.
template <class Cell, class Shape, class T>
inline decltype(auto) cell_at(const Cell& cell, const UnitWeights<Shape, T>& weights, index group) {
  if constexpr (UnitWeights<Shape, T>::rows > 0) {
    return weights.at(cell, group);
  } else {
    return (cell);
  }
}

}  // namespace
}  // namespace rnnfast
