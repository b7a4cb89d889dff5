// All weights of the forward pass in the order in which it reads them: W_ih, and W_hh of each
// phase, as panels; the bias [panel][P][U][N], where the input product starts (at zero where a bias
// comes after a norm); and those of a projection, of norms and of units. Of a sparse W_hh follows
// what is kept of it, phase after phase.
#pragma once

#include "cells/linear.hpp"
#include "cpu/layout/norm_weights.hpp"
#include "cpu/layout/panel_weights.hpp"
#include "cpu/layout/sparse_weights.hpp"
#include "cpu/layout/unit_weights.hpp"

namespace rnnfast {
namespace {

/// The phase whose product feeds a part, or -1.
template <class Shape>
constexpr int phase_of(int part) {
  for (int p = 0; p < Shape::phases; ++p) {
    if (Shape::phase[p].has(part)) return p;
  }
  return -1;
}

template <class Shape, class F>
struct ForwardWeights {
  using T = typename F::Sum;
  using L = Layout<Shape, T>;
  L layout;
  PanelWeights<Shape, F> input;
  RecurrentWeights<Shape, F> recurrent[Shape::phases];
  T* bias = nullptr;
  PanelWeights<Linear, F> projection;  // of no size where there is none
  NormWeights<Shape, T> norm;
  UnitWeights<Shape, T> of_units;

  explicit ForwardWeights(const Dims& dims)
      : layout{dims.units},
        input{layout, Shape::input, dims.inputs},
        projection{{dims.projection}, Linear::phase[0], dims.units},
        norm{layout},
        of_units{layout, nullptr} {
    for (int p = 0; p < Shape::phases; ++p) {
      recurrent[p] = {layout, Shape::phase[p], outputs_of(dims)};
    }
  }

  void place(Bump& bump) {
    input.place(bump);
    for (auto& weights : recurrent) weights.place(bump);
    bias = bump.take<T>(layout.groups() * L::N * Shape::parts);
    projection.place(bump);
    if constexpr (Normalized<Shape>) norm.place(bump);
    of_units.place(bump);
    if constexpr (is_sparse<F>) {
      for (auto& weights : recurrent) weights.kept = bump.end();
    }
  }

  /// Of a sparse W_hh, beside what `place` asks for.
  std::size_t kept_bytes([[maybe_unused]] const WeightSet<const T>& weights) const {
    std::size_t bytes = 0;
    if constexpr (is_sparse<F>) {
      for (const auto& of_phase : recurrent) bytes += of_phase.kept_bytes(weights[WeightId::w_hh]);
    }
    return bytes;
  }

  const T* bias_panel(index panel) const { return bias + panel * L::U * L::P * L::N; }

  /// Packs a share of the panels.
  void pack(const WeightSet<const T>& weights, const Share& own) {
    input.pack(weights[WeightId::w_ih], weights.scales.ih, own);
    pack_recurrent(weights, own);
    const Span panels = own.of(layout.panels());
    for (index panel = panels.begin; panel < panels.end; ++panel) {
      pack_bias(weights, panel);
      of_units.pack(weights[WeightId::of_units],
                    {panel * L::U, smaller((panel + 1) * L::U, layout.groups())});
    }
    projection.pack(weights[WeightId::w_hr], nullptr, own);
    if constexpr (Normalized<Shape>) norm.pack(weights, own);
  }

 private:
  void pack_recurrent(const WeightSet<const T>& weights, const Share& own) {
    if constexpr (is_sparse<F>) {
      if (own.of(1).size() == 0) return;  // one share: where a column lies depends on all before
      std::size_t at = 0;
      for (const auto& of_phase : recurrent) at = of_phase.pack(weights[WeightId::w_hh], at);
    } else {
      for (const auto& of_phase : recurrent) {
        of_phase.pack(weights[WeightId::w_hh], weights.scales.hh, own);
      }
    }
  }

  // A part starts from the bias of every product that feeds it.
  void pack_bias(const WeightSet<const T>& weights, index panel) const {
    T* to = bias + panel * L::U * L::P * L::N;
    for (int part = 0; part < Shape::parts; ++part) {
      const bool here = !Normalized<Shape>;
      const T* b_ih = here && Shape::input.has(part) ? weights[WeightId::b_ih] : nullptr;
      const T* b_hh = here && phase_of<Shape>(part) >= 0 ? weights[WeightId::b_hh] : nullptr;
      for (index u = 0; u < layout.width(panel); ++u, to += L::N) {
        const index group = panel * L::U + u;
        const index row = Shape::gate_of[part] * layout.units + group * L::N;
        const index valid = layout.valid(group);
        Vec<T> sum = {};
        if (b_ih) sum = sum + load_first(b_ih + row, valid);
        if (b_hh) sum = sum + load_first(b_hh + row, valid);
        store(to, sum);
      }
    }
  }
};

}  // namespace
}  // namespace rnnfast
