// From a call's arrays to what a kernel is called with.
#pragma once

#include <vector>

#include "base/arena.hpp"
#include "bindings/cell_choice.hpp"
#include "bindings/gil.hpp"
#include "bindings/plans.hpp"
#include "cpu/plan/sequences.hpp"

namespace rnnfast {

/// Weights of one cell, packed once.
template <class T>
Arena pack(const CellKernels<T>& kernels, const Dims& dims, const WeightSet<const T>& weights,
           int threads) {
  Arena packed(kernels.packed_bytes(dims));
  kernels.pack(dims, weights, threads, packed.data());
  return packed;
}

/// What Python passes as one tuple: w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm, or their
/// gradients in the same order.
inline py::object weight(const py::tuple& weights, std::size_t i) { return weights[i]; }

template <class T>
WeightSet<T> weights_of(const py::tuple& weights) {
  WeightSet<T> set;
  for (std::size_t i = 0; i < weight_count; ++i) set.arrays[i] = pointer<T>(weight(weights, i));
  return set;
}

template <class T>
Gradients<T> gradients_of(const py::object& dx, const py::tuple& of_weights, const py::object& dh0,
                          const py::object& dc0) {
  return {sequence<T>(dx), weights_of<T>(of_weights), {pointer<T>(dh0), pointer<T>(dc0)}};
}

/// The sizes that weights have.
inline Dims dims_of(const py::tuple& weights) {
  const index inputs = py::array(weight(weights, 0)).shape(1);
  const index outputs = py::array(weight(weights, 1)).shape(1);
  const py::object w_hr = weight(weights, 4);
  if (w_hr.is_none()) return {0, 0, inputs, outputs};
  return {0, 0, inputs, py::array(w_hr).shape(1), outputs};
}

/// The sizes of a call.
inline Dims dims_of(const py::array& x, Dims weights) {
  weights.steps = x.shape(0);
  weights.rows = x.shape(1);
  return weights;
}

template <class T>
ForwardCall<T> forward_call(const Dims& dims, const py::object& x, const py::object& h0,
                            const py::object& c0, const py::object& y, const py::object& h_n,
                            const py::object& c_n, const std::vector<SequenceRow>& rows,
                            const py::object& resets, const CellChoice& cell,
                            const Masks<T>& masks = {}) {
  return {dims,
          sequence<const T>(x),
          {pointer<const T>(h0), pointer<const T>(c0)},
          sequence<T>(y),
          {pointer<T>(h_n), pointer<T>(c_n)},
          rows.empty() ? nullptr : rows.data(),
          sequence<const bool>(resets),
          masks,
          cell.activations()};
}

/// From None or the three arrays, any of which may be None.
template <class T>
Masks<T> masks_of(const py::object& masks) {
  if (masks.is_none()) return {};
  const auto arrays = py::reinterpret_borrow<py::tuple>(masks);
  return {pointer<const T>(arrays[0]), sequence<const T>(arrays[1]), sequence<const T>(arrays[2])};
}

/// The plan of a call with masks.
template <class T>
PlanSegment plan_masked(Purpose purpose, const Dims& dims, const CellTraits& traits,
                        const Masks<T>& masks) {
  PlanSegment plan = plan_call(purpose, dims, traits);
  plan.masks_operand = masks.recurrent != nullptr;
  return plan;
}

/// The private rows of sequences that take the steps `spans` (B, 2); none where all take all.
inline std::vector<SequenceRow> rows_of(const py::object& spans, const PlanSegment& plan) {
  if (spans.is_none()) return {};
  return deal_sequences(pointer<const index>(spans), plan);
}

}  // namespace rnnfast
