// Sums of gradients that are a number for each unit:
//
//   dw[unit] = sum over t descending, b ascending of what row (t, b) adds
//
// Like those of the matrices (cpu/backward/weight_gradients.hpp) they run in blocks whose edges
// come from T and B alone, each of them in chains of at most `longest_row_sum` rows begun at zero,
// added in order.
#pragma once

#include "cpu/backward/weight_gradients.hpp"

namespace rnnfast {
namespace {

/// `count` sums that are made together: [group][count][N].
template <class T, int count>
class UnitSums {
  using V = Vec<T>;
  static constexpr index N = lanes<T>;

 public:
  void place(Bump& bump, index groups) { sums_ = bump.take<T>(groups * count * N); }

  /// Adds a block of rows to some groups: add(row, group, sum) adds a row. The rows of a chain stay
  /// in L2 while all groups pass over them.
  template <class Add>
  void add_block(Span rows, Span groups, SumSoFar so_far, Add&& add) const {
    const Pieces chains(rows.size(), longest_row_sum);
    for (index chain = 0; chain < chains.pieces; ++chain) {
      const Span part = chains.at(chain);
      const bool begins = chain == 0 && so_far == SumSoFar::nothing;
      for (index group = groups.begin; group < groups.end; ++group) {
        V sum[count] = {};
        for (index row = part.begin; row < part.end; ++row) add(rows.begin + row, group, sum);
        T* const total = sums_ + group * count * N;
        for (int i = 0; i < count; ++i) {
          store(total + i * N, begins ? sum[i] : load(total + i * N) + sum[i]);
        }
      }
    }
  }

  V sum(index group, int i) const { return load(sums_ + (group * count + i) * N); }

 private:
  T* sums_ = nullptr;
};

}  // namespace
}  // namespace rnnfast
