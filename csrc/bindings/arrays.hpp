// Arrays in, views to the kernels, arrays out. Python has validated and normalised everything: what
// comes here has the right shape, one of two scalar types, and the strides the views allow.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <stdexcept>
#include <string>

#include "base/view.hpp"
#include "dispatch/dispatch.hpp"

namespace rnnfast {

namespace py = pybind11;

template <class T>
T* pointer(py::handle array) {
  using Scalar = std::remove_const_t<T>;
  if (array.is_none()) return nullptr;
  const auto& proxy = *py::detail::array_proxy(array.ptr());
  return reinterpret_cast<Scalar*>(proxy.data);
}

template <class T>
Sequence<T> sequence(py::handle array) {
  if (array.is_none()) return {};
  const auto& proxy = *py::detail::array_proxy(array.ptr());
  constexpr auto size = static_cast<index>(sizeof(T));
  return {pointer<T>(array), proxy.strides[0] / size, proxy.strides[1] / size};
}

/// Calls body(T{}) with the scalar type of an array.
template <class Body>
auto with_scalar(const py::dtype& dtype, Body&& body) {
  return dtype.itemsize() == sizeof(float) ? body(float{}) : body(double{});
}

}  // namespace rnnfast
