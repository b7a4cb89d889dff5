// NumPy's arrays as views. Python has validated and normalised everything: what comes here has the
// right shape, one of two scalar types, and the strides that views allow.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <initializer_list>
#include <stdexcept>
#include <string>

#include "api/scalar.hpp"
#include "base/view.hpp"

namespace rnnfast {

namespace py = pybind11;

/// NumPy's number of a type.
constexpr int type_number(ScalarType scalar) {
  return scalar == ScalarType::float32 ? py::detail::npy_api::NPY_FLOAT_
                                       : py::detail::npy_api::NPY_DOUBLE_;
}
constexpr int number_of_bool = py::detail::npy_api::NPY_BOOL_;

inline ScalarType scalar_of(const py::dtype& dtype) {
  for (const ScalarType scalar : {ScalarType::float32, ScalarType::float64}) {
    if (dtype.num() == type_number(scalar)) return scalar;
  }
  throw std::invalid_argument("arrays are float32 or float64");
}

/// Null for None.
template <class T>
T* pointer(py::handle array) {
  if (array.is_none()) return nullptr;
  return reinterpret_cast<std::remove_const_t<T>*>(py::detail::array_proxy(array.ptr())->data);
}

/// Of elements of so many bytes; absent for None.
template <class T>
Sequence<T> sequence(py::handle array, index bytes) {
  if (array.is_none()) return {};
  const auto& proxy = *py::detail::array_proxy(array.ptr());
  return {pointer<T>(array), proxy.strides[0] / bytes, proxy.strides[1] / bytes};
}

/// Refuses an array that is not of the type and shape with which its memory will be read or
/// written: an array's type and shape may be assigned to. None is always right.
inline void require_of(const char* name, py::handle array, int number,
                       std::initializer_list<index> shape) {
  if (array.is_none()) return;
  const auto& proxy = *py::detail::array_proxy(array.ptr());
  bool fits = proxy.nd == static_cast<int>(shape.size()) &&
              py::reinterpret_borrow<py::array>(array).dtype().num() == number;
  for (int i = 0; fits && i < proxy.nd; ++i) fits = proxy.dimensions[i] == shape.begin()[i];
  if (!fits) {
    throw std::invalid_argument(std::string(name) +
                                " has changed its shape or type since the forward pass");
  }
}

}  // namespace rnnfast
