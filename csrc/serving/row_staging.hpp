// Rows that lie here and there at the caller's, brought together for a pass and dealt out after it.
//
//   the caller's x (T, B, I)   ->   step after step, of each the rows of some sessions
#pragma once

#include "api/scalar.hpp"
#include "base/arena.hpp"
#include "base/view.hpp"

namespace rnnfast {

class RowStaging {
 public:
  /// Room for so many rows, of all steps together. Throws std::bad_alloc.
  RowStaging(index rows, index inputs, index outputs, ScalarType scalar);

  std::size_t bytes() const { return memory_.size(); }

  /// What is here, with so many rows a step.
  Sequence<const void> x(index rows) const { return {x_, rows * inputs_, inputs_}; }
  Sequence<void> y(index rows) const { return {y_, rows * outputs_, outputs_}; }

  /// A row of the caller's x becomes number `to` of those here.
  void bring(const Sequence<const void>& x, index step, index row, index to) const;
  /// Number `from` of those here becomes a row of the caller's y.
  void deal(index from, const Sequence<void>& y, index step, index row) const;
  /// A row of the caller's y that no step gives.
  void clear(const Sequence<void>& y, index step, index row) const;

 private:
  std::size_t bytes_of(index numbers) const {
    return static_cast<std::size_t>(numbers * size_of(scalar_));
  }

  ScalarType scalar_;
  index inputs_;
  index outputs_;
  Arena memory_;
  char* x_;
  char* y_;
};

}  // namespace rnnfast
