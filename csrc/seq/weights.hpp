// Weights in the order in which the products read them.
//
//   forward     input [panel][I][V][N] and recurrent, a phase [panel][R][V][N], V = parts x groups
//               of the panel; bias [panel][P][U][N], where the input product starts (at zero where
//               a bias comes after a norm); and those of units (seq/unit_weights.hpp)
//   backward    the same matrices as B of the products with deltas: [block of output vectors]
//               [panel, part, group, lane][vectors of the block][N]
#pragma once

#include "base/threads.hpp"
#include "base/view.hpp"
#include "cells/cell.hpp"
#include "gemm/pack.hpp"
#include "seq/layer_norm.hpp"
#include "seq/projection.hpp"
#include "seq/unit_weights.hpp"

namespace rnnfast {
namespace {

/// The phase whose product feeds a part, or -1.
template <class Cell>
constexpr int phase_of(int part) {
  for (int p = 0; p < Cell::phases; ++p) {
    if (Cell::phase[p].has(part)) return p;
  }
  return -1;
}

template <class Cell, class T>
struct ForwardWeights {
  using L = Layout<Cell, T>;
  Dims dims;
  L layout;
  T* input = nullptr;
  T* recurrent[Cell::phases] = {};
  T* bias = nullptr;
  ProjectionWeights<T> projection;  // of no size where there is none
  NormWeights<Cell, T> norm;
  UnitWeights<Cell, T> of_units;

  explicit ForwardWeights(const Dims& dims)
      : dims(dims),
        layout{dims.units},
        projection{{dims.projection}, dims.units},
        norm{layout},
        of_units{layout, nullptr} {}

  void place(Bump& bump) {
    const index columns = layout.groups() * L::N;
    input = bump.take<T>(columns * Cell::input.count() * dims.inputs);
    for (int p = 0; p < Cell::phases; ++p) {
      recurrent[p] = bump.take<T>(columns * Cell::phase[p].count() * outputs_of(dims));
    }
    bias = bump.take<T>(columns * Cell::parts);
    projection.place(bump);
    if constexpr (Normalized<Cell>) norm.place(bump);
    of_units.place(bump);
  }

  const T* input_panel(index panel) const {
    return panel_of(input, Cell::input, dims.inputs, panel);
  }
  const T* recurrent_panel(int phase, index panel) const {
    return panel_of(recurrent[phase], Cell::phase[phase], outputs_of(dims), panel);
  }
  const T* bias_panel(index panel) const { return bias + panel * L::U * L::P * L::N; }

  /// Packs this worker's panels.
  void pack(const Weights<T>& weights, const Worker& worker) {
    const Span own = share(layout.panels(), worker.id, worker.count);
    for (index panel = own.begin; panel < own.end; ++panel) {
      pack_panel(weights.w_ih, Cell::input, dims.inputs, panel, input);
      for (int p = 0; p < Cell::phases; ++p) {
        pack_panel(weights.w_hh, Cell::phase[p], outputs_of(dims), panel, recurrent[p]);
      }
      pack_bias(weights, panel);
      of_units.pack(weights.peephole, {panel * L::U, smaller((panel + 1) * L::U, layout.groups())});
    }
    projection.pack(weights.w_hr, worker);
    if constexpr (Normalized<Cell>) norm.pack(weights, worker);
  }

 private:
  template <class P>
  static P* panel_of(P* packed, Range range, index length, index panel) {
    return packed + panel * L::U * range.count() * L::N * length;
  }

  void pack_panel(const T* w, Range range, index length, index panel, T* packed) const {
    const index width = layout.width(panel);
    T* to = panel_of(packed, range, length, panel);
    for (int part = range.begin; part < range.end; ++part) {
      for (index u = 0; u < width; ++u, to += L::N) {
        const index group = panel * L::U + u;
        const index row = Cell::gate_of[part] * dims.units + group * L::N;
        pack_lanes(w + row * length, length, layout.valid(group), length, to,
                   range.count() * width * L::N);
      }
    }
  }

  // A part starts from the bias of every product that feeds it.
  void pack_bias(const Weights<T>& weights, index panel) const {
    T* to = bias + panel * L::U * L::P * L::N;
    for (int part = 0; part < Cell::parts; ++part) {
      const bool here = !Normalized<Cell>;
      const T* b_ih = here && Cell::input.has(part) ? weights.b_ih : nullptr;
      const T* b_hh = here && phase_of<Cell>(part) >= 0 ? weights.b_hh : nullptr;
      for (index u = 0; u < layout.width(panel); ++u, to += L::N) {
        const index group = panel * L::U + u;
        const index row = Cell::gate_of[part] * dims.units + group * L::N;
        const index valid = layout.valid(group);
        Vec<T> sum = {};
        if (b_ih) sum = sum + load_first(b_ih + row, valid);
        if (b_hh) sum = sum + load_first(b_hh + row, valid);
        store(to, sum);
      }
    }
  }
};

/// One matrix as B of a product with deltas, whose outputs are `outputs` columns wide.
template <class Cell, class T>
struct DeltaWeights {
  using L = Layout<Cell, T>;
  // Blocks of outputs as wide as the widest tile.
  static constexpr index block_vectors = widest_tile(1);
  static constexpr index block_lanes = block_vectors * L::N;

  L layout;
  Range range = {};   // the parts whose deltas it multiplies
  index outputs = 0;  // I, R or H
  T* packed = nullptr;

  void place(Bump& bump) { packed = bump.take<T>(length() * round_up(outputs, L::N)); }

  index length() const { return layout.groups() * L::N * range.count(); }  // K
  index vectors() const { return ceil_div(outputs, L::N); }
  /// Vectors of a block of outputs: block_vectors, fewer in the last.
  index width(index block) const {
    return smaller(block_vectors, vectors() - block * block_vectors);
  }
  index blocks() const { return ceil_div(vectors(), block_vectors); }
  const T* block(index block) const { return packed + block * block_lanes * length(); }

  /// Calls body(weights, their stride, groups) for the blocks in which some groups of outputs are,
  /// from the last if `odd`.
  template <class Body>
  void for_blocks(Span own, bool odd, Body&& body) const {
    const Span these = {own.begin / block_vectors, ceil_div(own.end, block_vectors)};
    for (index i = 0; i < these.size(); ++i) {
      const index one = odd ? these.end - 1 - i : these.begin + i;
      const index first = one * block_vectors;
      const Span groups = {larger(first, own.begin), smaller(first + width(one), own.end)};
      body(block(one) + (groups.begin - first) * L::N, width(one) * L::N, groups);
    }
  }

  /// Packs this worker's share of blocks from w (G*H, outputs).
  void pack(const T* w, const Worker& worker) {
    const Span own = share(length(), worker.id, worker.count);
    index k = 0;
    for (index panel = 0; panel < layout.panels(); ++panel) {
      for (int part = range.begin; part < range.end; ++part) {
        for (index u = 0; u < layout.width(panel); ++u) {
          const index group = panel * L::U + u;
          for (index lane = 0; lane < L::N; ++lane, ++k) {
            if (k < own.begin || k >= own.end) continue;
            const index unit = group * L::N + lane;
            pack_k(unit < layout.units ? w + (Cell::gate_of[part] * layout.units + unit) * outputs
                                       : nullptr,
                   k);
          }
        }
      }
    }
  }

 private:
  void pack_k(const T* row, index k) {
    for (index b = 0; b < blocks(); ++b) {
      const index columns = width(b) * L::N;
      const index first = b * block_lanes;
      const index valid = row ? smaller(columns, outputs - first) : 0;
      pack_row(row ? row + first : nullptr, valid, columns,
               packed + first * length() + k * columns);
    }
  }
};

}  // namespace
}  // namespace rnnfast
