// W_hh as B of the recurrent products where most of it is zero (gemm/sparse_tile.hpp): of each
// panel, part by part, columns of those lines that are not. What is kept follows all other weights,
// since how much it is the weights themselves tell.
#pragma once

#include "cpu/layout/panel_weights.hpp"
#include "gemm/sparse_tile.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
struct SparseWeights {
  using L = Layout<Shape, T>;
  using Panel = SparseColumns<T>;
  static_assert(L::U % line_vectors<T> == 0, "panels of whole lines, on every instruction set");

  L layout;
  Range range = {};  // the parts that the product feeds
  index length = 0;  // K
  index runs = 0;    // of k
  std::uint32_t* heads = nullptr;
  char* kept = nullptr;

  void place(Bump& bump) {
    runs = dense_runs<Sparse<T>>(length).runs;
    heads = bump.take<std::uint32_t>(layout.panels() * heads_of_panel());
  }

  /// Vectors of a panel.
  index vectors(index panel) const { return range.count() * layout.width(panel); }
  Panel panel(index panel) const {
    return {heads + panel * heads_of_panel(), kept, runs, range.count(), layout.width(panel)};
  }

  /// Bytes of what is kept of w (G*H, length).
  std::size_t kept_bytes(const T* w) const {
    std::size_t lines = 0;
    for_columns([&](index, Span units) {
      lines += static_cast<std::size_t>(Panel::size(count(w, units)));
    });
    return lines * line_bytes;
  }

  /// Packs w, from a line of what is kept on; returns the line after it.
  std::size_t pack(const T* w, std::size_t at) const {
    for_columns([&](index column, Span units) {
      std::uint32_t* const head = heads + column * (1 + runs);
      *head = static_cast<std::uint32_t>(at);
      at += static_cast<std::size_t>(pack_column(w, units, head + 1, kept + at * line_bytes));
    });
    return at;
  }

 private:
  static constexpr index lines_of_part = L::U / line_vectors<T>;  // of a full panel
  index heads_of_panel() const { return range.count() * lines_of_part * (1 + runs); }

  /// Calls body(its number, its rows of w) for every column, in order.
  template <class Body>
  void for_columns(Body&& body) const {
    for (index panel = 0; panel < layout.panels(); ++panel) {
      index column = panel * range.count() * lines_of_part;
      const index begin = panel * L::U * L::N;
      const index end = smaller(layout.units, begin + layout.width(panel) * L::N);
      for (int part = range.begin; part < range.end; ++part) {
        const index gate = Shape::gate_of[part] * layout.units;
        for (index unit = begin; unit < end; unit += line_size<T>, ++column) {
          body(column, Span{gate + unit, gate + smaller(end, unit + line_size<T>)});
        }
      }
    }
  }

  bool is_zero(const T* w, Span units, index k) const {
    for (index unit = units.begin; unit < units.end; ++unit) {
      if (w[unit * length + k] != 0) return false;
    }
    return true;
  }

  /// Lines that are not zero.
  index count(const T* w, Span units) const {
    index lines = 0;
    for (index k = 0; k < length; ++k) lines += !is_zero(w, units, k);
    return lines;
  }

  /// Returns how many lines it took.
  index pack_column(const T* w, Span units, std::uint32_t* ends, char* to) const {
    auto* line = reinterpret_cast<T*>(to);
    const index lines = count(w, units);
    auto* const numbers = reinterpret_cast<std::uint32_t*>(to + lines * line_bytes);
    const index run = dense_runs<Sparse<T>>(length).run;
    index packed = 0;
    for (index k = 0; k < length; ++k) {
      if (!is_zero(w, units, k)) {
        for (index u = 0; u < line_size<T>; ++u) {
          *line++ = u < units.size() ? w[(units.begin + u) * length + k] : T{};
        }
        numbers[packed++] = static_cast<std::uint32_t>(k);
      }
      if ((k + 1) % run == 0 || k + 1 == length) *ends++ = static_cast<std::uint32_t>(packed);
    }
    return Panel::size(lines);
  }
};

template <class Shape, class F>
struct RecurrentWeightsIn {
  using Weights = PanelWeights<Shape, F>;
};
template <class Shape, class T>
struct RecurrentWeightsIn<Shape, Sparse<T>> {
  using Weights = SparseWeights<Shape, T>;
};
/// W_hh of a phase, in some format.
template <class Shape, class F>
using RecurrentWeights = typename RecurrentWeightsIn<Shape, F>::Weights;

}  // namespace
}  // namespace rnnfast
