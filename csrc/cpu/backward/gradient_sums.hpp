// The sums of all weight gradients: one set of them, whose parts the workers share out; or, where
// each sequence has gradients of its own, a set for each worker, which takes one sequence after the
// other from zero to the end.
#pragma once

#include "call/passes.hpp"
#include "cells/linear.hpp"
#include "cpu/backward/norm_gradients.hpp"
#include "cpu/backward/unit_gradients.hpp"
#include "cpu/backward/weight_gradients.hpp"

namespace rnnfast {
namespace {

template <class Shape, class F>
struct GradientSums {
  using T = typename F::Sum;
  using L = Layout<Shape, T>;

  WeightGradient<Shape, F> input;
  WeightGradient<Shape, F> recurrent[Shape::phases];
  WeightGradient<Linear, F> projection;
  NormGradients<Shape, T> of_norms;
  UnitGradients<Shape, T> of_units;

  /// `longest_block` rows are added at a time, at most, to as many shares.
  GradientSums(const BackwardCall<T>& call, const L& layout, index longest_block, int shares)
      : input(layout, Shape::input, call.dims.inputs, longest_block, shares,
              wanted(call.out.weights, WeightId::w_ih, WeightId::b_ih)),
        of_norms(layout, call.out.weights),
        of_units(layout, call.out.weights[WeightId::of_units]) {
    const index outputs = outputs_of(call.dims);
    for (int p = 0; p < Shape::phases; ++p) {
      recurrent[p] = {layout,  Shape::phase[p],
                      outputs, longest_block,
                      shares,  wanted(call.out.weights, WeightId::w_hh, WeightId::b_hh)};
    }
    if (call.dims.projection) {
      projection = {Layout<Linear, T>{{outputs}},
                    Linear::phase[0],
                    call.dims.units,
                    longest_block,
                    shares,
                    call.out.weights[WeightId::w_hr] != nullptr};
    }
  }

  void place(Bump& bump) {
    of_units.place(bump);
    input.place(bump);
    for (auto& gradient : recurrent) gradient.place(bump);
    if constexpr (Normalized<Shape>) of_norms.place(bump);
    projection.place(bump);
  }

  /// Writes a share to the arrays that are there; `unpack_norms` does what it leaves out.
  void unpack(const WeightSet<T>& out, const Share& own) const {
    const auto bias = [&](WeightId id) { return biased ? out[id] : nullptr; };
    input.unpack(out[WeightId::w_ih], bias(WeightId::b_ih), own);
    for (const auto& gradient : recurrent) {
      gradient.unpack(out[WeightId::w_hh], bias(WeightId::b_hh), own);
    }
    projection.unpack(out[WeightId::w_hr], nullptr, own);
    of_units.unpack(out[WeightId::of_units], own.of(of_units.groups()));
  }
  void unpack_norms(const WeightSet<T>& out, const Share& own) const {
    if constexpr (Normalized<Shape>) of_norms.unpack(out, own.of(of_norms.groups()));
  }

 private:
  static constexpr bool biased = !Normalized<Shape>;  // else a bias is that of a norm

  static bool wanted(const WeightSet<T>& out, WeightId matrix, WeightId bias) {
    return out[matrix] || (biased && out[bias]);
  }
};

/// Elements of a weight.
template <class Shape>
constexpr index weight_size(const Dims& dims, WeightId id) {
  const index rows = Shape::gates * dims.units;
  switch (id) {
    case WeightId::w_ih:
      return rows * dims.inputs;
    case WeightId::w_hh:
      return rows * outputs_of(dims);
    case WeightId::b_ih:
    case WeightId::b_hh:
      return rows;
    case WeightId::w_hr:
      return outputs_of(dims) * dims.units;
    case WeightId::of_units:
      return unit_weights_of<Shape>() * dims.units;
    case WeightId::of_norms:
      return norm_rows<Shape>() * dims.units;
  }
  return 0;
}

/// Of arrays that have a weight for each sequence, (B, ...), those of one.
template <class Shape, class T>
inline WeightSet<T> weights_of_sequence(WeightSet<T> all, const Dims& dims, index sequence) {
  for (int i = 0; i < weight_count; ++i) {
    if (!all.arrays[i]) continue;
    all.arrays[i] += sequence * weight_size<Shape>(dims, static_cast<WeightId>(i));
  }
  return all;
}

/// Writes zeros: the sums of no terms.
template <class Shape, class T>
inline void clear_weights(const WeightSet<T>& weights, const Dims& dims) {
  for (int i = 0; i < weight_count; ++i) {
    if (!weights.arrays[i]) continue;
    const index size = weight_size<Shape>(dims, static_cast<WeightId>(i));
    __builtin_memset(weights.arrays[i], 0, static_cast<std::size_t>(size) * sizeof(T));
  }
}

}  // namespace
}  // namespace rnnfast
