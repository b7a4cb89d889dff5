// The gradient of weights that are a number for each unit:
//
//   dw[unit] = sum over t descending, b ascending of delta[t, b][unit] operand[t, b][unit]
//
// Like those of the matrices (cpu/backward/weight_gradients.hpp) the sum runs in blocks whose edges
// come from T and B alone, each of them in chains of at most `longest_row_sum` products begun at
// zero, added in order.
#pragma once

#include "cpu/backward/weight_gradients.hpp"
#include "cpu/layout/layout.hpp"

namespace rnnfast {
namespace {

/// Rows of a matrix, evenly spaced.
template <class T>
struct EvenRows {
  const T* base;
  index stride;
  const T* at(index i) const { return base + i * stride; }
};

template <class Cell, class T>
class UnitGradient {
  using L = Layout<Cell, T>;
  using V = Vec<T>;

 public:
  UnitGradient() = default;
  /// Of a weight in the pre-activation of `part`.
  UnitGradient(const L& layout, int part, bool wanted)
      : layout_(layout), part_(part), wanted_(wanted) {}

  void place(Bump& bump) { sums_ = bump.take<T>(wanted_ ? layout_.groups() * L::N : 0); }

  bool wanted() const { return wanted_; }

  /// Adds the rows [rows.begin, rows.end) of a chunk, one block, to some groups; row r's operand is
  /// operand.at(r). The rows of a chain stay in L2 while all groups pass over them.
  template <class Operand>
  void add_block(const Slots<Cell, T>& deltas, const Operand& operand, Span rows, Span groups,
                 SumSoFar so_far) const {
    const Pieces chains(rows.size(), longest_row_sum);
    for (index chain = 0; chain < chains.pieces; ++chain) {
      const Span part = chains.at(chain);
      const Span of_chain = {rows.begin + part.begin, rows.begin + part.end};
      for (index group = groups.begin; group < groups.end; ++group) {
        const V sum = sum_of(deltas, operand, of_chain, group);
        T* const total = sums_ + group * L::N;
        const bool begins = chain == 0 && so_far == SumSoFar::nothing;
        store(total, begins ? sum : load(total) + sum);
      }
    }
  }

  /// Writes some groups to dw (H,).
  void unpack(T* dw, Span groups) const {
    for (index group = groups.begin; group < groups.end; ++group) {
      store_first(dw + group * L::N, load(sums_ + group * L::N), layout_.valid(group));
    }
  }

 private:
  template <class Operand>
  V sum_of(const Slots<Cell, T>& deltas, const Operand& operand, Span rows, index group) const {
    const T* delta = deltas.group(rows.begin, group).part(part_);
    const index slot = layout_.slot(group / L::U);
    V sum = {};
    for (index row = rows.begin; row < rows.end; ++row, delta += slot) {
      sum = fma(load<T>(delta), load<T>(operand.at(row) + group * L::N), sum);
    }
    return sum;
  }

  L layout_;
  int part_ = 0;
  bool wanted_ = false;
  T* sums_ = nullptr;
};

}  // namespace
}  // namespace rnnfast
