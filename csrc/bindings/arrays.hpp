// Arrays in, views to the kernels, arrays out. Python has validated and normalised everything: what
// comes here has the right shape, one of two scalar types, and the strides the views allow.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <initializer_list>
#include <stdexcept>
#include <string>

#include "base/view.hpp"
#include "cpu/dispatch/dispatch.hpp"

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

enum class Scalar { single, twice };

template <class T>
constexpr Scalar scalar_of() {
  return sizeof(T) == sizeof(float) ? Scalar::single : Scalar::twice;
}

/// Calls body(T{}) with a scalar type, or with that of an array.
template <class Body>
auto with_scalar(Scalar scalar, Body&& body) {
  return scalar == Scalar::single ? body(float{}) : body(double{});
}
template <class Body>
auto with_scalar(const py::dtype& dtype, Body&& body) {
  const bool single = dtype.itemsize() == static_cast<py::ssize_t>(sizeof(float));
  return with_scalar(single ? Scalar::single : Scalar::twice, std::forward<Body>(body));
}

/// Refuses an array that is not of the type and shape with which its memory will be read or
/// written: an array's type and shape may be assigned to. None is always right.
template <class T>
void require_of(const char* name, py::handle array, std::initializer_list<index> shape) {
  if (array.is_none()) return;
  const auto& proxy = *py::detail::array_proxy(array.ptr());
  bool fits =
      proxy.nd == static_cast<int>(shape.size()) &&
      py::reinterpret_borrow<py::array>(array).itemsize() == static_cast<py::ssize_t>(sizeof(T));
  for (int i = 0; fits && i < proxy.nd; ++i) fits = proxy.dimensions[i] == shape.begin()[i];
  if (!fits) {
    throw std::invalid_argument(std::string(name) +
                                " has changed its shape or type since the forward pass");
  }
}

}  // namespace rnnfast
