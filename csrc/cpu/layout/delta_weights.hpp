// A matrix W as B of the products of the backward pass, whose A are deltas: in blocks of output
// vectors, each in columns (gemm/columns.hpp), K = panels x parts x units in the order of slots.
#pragma once

#include "base/team.hpp"
#include "cpu/layout/layout.hpp"
#include "gemm/pack.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
struct DeltaWeights {
  using L = Layout<Shape, T>;
  using F = Plain<T>;
  // Blocks of outputs as wide as the widest tile.
  static constexpr index block_vectors = widest_tile(1);
  static constexpr index block_lanes = block_vectors * L::N;

  L layout;
  Range range = {};   // the parts whose deltas it multiplies
  index outputs = 0;  // I, R or H
  T* packed = nullptr;

  void place(Bump& bump) {
    const index last = blocks() - 1;
    if (last >= 0) packed = bump.take<T>(offset(last) + Columns<F>::size(length(), width(last)));
  }

  index length() const { return layout.groups() * L::N * range.count(); }  // K
  index vectors() const { return ceil_div(outputs, L::N); }
  index blocks() const { return ceil_div(vectors(), block_vectors); }
  /// Vectors of a block of outputs: block_vectors, fewer in the last.
  index width(index block) const {
    return smaller(block_vectors, vectors() - block * block_vectors);
  }
  Columns<F> block(index block) const { return columns<const T>(block); }

  /// Calls body(block, its vectors, groups) for the blocks in which some groups of outputs are,
  /// from the last if `odd`.
  template <class Body>
  void for_blocks(Span own, bool odd, Body&& body) const {
    const Span these = {own.begin / block_vectors, ceil_div(own.end, block_vectors)};
    for (index i = 0; i < these.size(); ++i) {
      const index one = odd ? these.end - 1 - i : these.begin + i;
      const index first = one * block_vectors;
      const Span groups = {larger(first, own.begin), smaller(first + width(one), own.end)};
      body(block(one), Span{groups.begin - first, groups.end - first}, groups);
    }
  }

  /// Packs a share of k from w (G*H, outputs).
  [[gnu::noinline]] void pack(const T* w, const Share& own) const {
    const Span mine = own.of(length());
    index k = 0;
    for (index panel = 0; panel < layout.panels(); ++panel) {
      for (int part = range.begin; part < range.end; ++part) {
        for (index u = 0; u < layout.width(panel); ++u) {
          const index group = panel * L::U + u;
          for (index lane = 0; lane < L::N; ++lane, ++k) {
            if (k < mine.begin || k >= mine.end) continue;
            const index unit = group * L::N + lane;
            pack_k(unit < layout.units ? w + (Shape::gate_of[part] * layout.units + unit) * outputs
                                       : nullptr,
                   k);
            own.worked(outputs);
          }
        }
      }
    }
  }

 private:
  index offset(index block) const { return block * Columns<F>::size(length(), block_vectors); }

  template <class Element>
  Columns<F, Element> columns(index block) const {
    return {packed + offset(block), length(), width(block)};
  }

  void pack_k(const T* row, index k) const {
    for (index b = 0; b < blocks(); ++b) {
      const auto to = columns<T>(b);
      T* column = to.data + k * to.stride();
      for (index vector = 0; vector < width(b); vector += to.width, column += to.column()) {
        const index first = b * block_lanes + vector * L::N;
        const index valid = row ? smaller(to.stride(), outputs - first) : 0;
        pack_row(row ? row + first : nullptr, valid, to.stride(), column);
      }
    }
  }
};

}  // namespace
}  // namespace rnnfast
