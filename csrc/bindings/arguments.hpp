// From what Python passes to what the engine is called with.
#pragma once

#include "api/backend.hpp"
#include "bindings/cell_argument.hpp"

namespace rnnfast {

/// What Python passes as one tuple, in the order of WeightId: weights, or their gradients.
inline py::object weight(const py::tuple& weights, WeightId id) {
  return weights[static_cast<std::size_t>(id)];
}

template <class T>
WeightSet<T> weight_set(const py::tuple& weights) {
  WeightSet<T> set;
  for (std::size_t i = 0; i < weight_count; ++i) set.arrays[i] = pointer<T>(py::object(weights[i]));
  return set;
}

/// The sizes that weights have.
inline Dims dims_of(const py::tuple& weights) {
  const index inputs = py::array(weight(weights, WeightId::w_ih)).shape(1);
  const index outputs = py::array(weight(weights, WeightId::w_hh)).shape(1);
  const py::object w_hr = weight(weights, WeightId::w_hr);
  if (w_hr.is_none()) return {0, 0, inputs, outputs};
  return {0, 0, inputs, py::array(w_hr).shape(1), outputs};
}

/// By the name of a storage; None is the scalar's own.
inline Precision precision_of(const py::object& name, ScalarType scalar) {
  if (name.is_none()) return scalar;
  const auto wanted = name.cast<std::string>();
  for (int i = 0; i < static_cast<int>(std::size(storage_names)); ++i) {
    if (wanted == storage_names[i]) return {scalar, static_cast<StorageType>(i)};
  }
  throw std::invalid_argument("no precision named " + wanted);
}

inline Weights weights_of(const py::object& cell, const py::tuple& weights) {
  return {cell_spec(cell), scalar_of(py::array(weight(weights, WeightId::w_ih)).dtype()),
          dims_of(weights), weight_set<const void>(weights)};
}

/// The sizes of a call.
inline Dims dims_of(const py::array& x, Dims weights) {
  weights.steps = x.shape(0);
  weights.rows = x.shape(1);
  return weights;
}

/// From None or the three arrays, any of which may be None.
inline Masks<void> masks_of(py::handle masks, index bytes) {
  if (masks.is_none()) return {};
  const auto arrays = py::reinterpret_borrow<py::tuple>(masks);
  return {pointer<const void>(py::object(arrays[0])),
          sequence<const void>(py::object(arrays[1]), bytes),
          sequence<const void>(py::object(arrays[2]), bytes)};
}

inline Sequence<const bool> resets_of(py::handle resets) {
  return sequence<const bool>(resets, sizeof(bool));
}

/// What a forward pass takes, as it stands in Python's arguments.
struct ForwardArrays {
  py::handle x, h0, c0, spans, resets, masks, y, h_n, c_n;
};

/// Of arrays whose numbers have so many bytes, and masks of the scalar.
inline Call call_of(const ForwardArrays& of, const Dims& dims, index bytes, ScalarType scalar) {
  return {dims,
          sequence<const void>(of.x, bytes),
          {pointer<const void>(of.h0), pointer<const void>(of.c0)},
          sequence<void>(of.y, bytes),
          {pointer<void>(of.h_n), pointer<void>(of.c_n)},
          pointer<const index>(of.spans),
          resets_of(of.resets),
          masks_of(of.masks, size_of(scalar))};
}
inline Call call_of(const ForwardArrays& of, const Dims& dims, ScalarType scalar) {
  return call_of(of, dims, size_of(scalar), scalar);
}

}  // namespace rnnfast
