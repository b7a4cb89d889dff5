// A method of positional arguments that Python calls directly: a step of a small cell takes a
// microsecond, and pybind11's dispatcher a quarter of one.
#pragma once

#include <pybind11/pybind11.h>

#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/team.hpp"

namespace rnnfast {

namespace py = pybind11;

/// How many arguments a function takes after its object.
template <class Self, class... Arguments>
constexpr Py_ssize_t arguments_of(py::object (*)(Self&, Arguments...)) {
  return sizeof...(Arguments);
}

template <class Self, auto function, std::size_t... i>
py::object apply_directly(Self& self, PyObject* const* arguments, std::index_sequence<i...>) {
  return function(self, py::handle(arguments[i])...);
}

/// function(self, a, b, ...) of the object behind a capsule (below), as CPython's METH_FASTCALL
/// wants it.
template <class Self, auto function>
PyObject* call_directly(PyObject* capsule, PyObject* const* arguments, Py_ssize_t count) {
  constexpr Py_ssize_t wanted = arguments_of(function);
  if (count != wanted) {
    PyErr_Format(PyExc_TypeError, "expected %zd arguments, got %zd", wanted, count);
    return nullptr;
  }
  try {
    auto* self = static_cast<Self*>(PyCapsule_GetPointer(capsule, nullptr));
    return apply_directly<Self, function>(*self, arguments, std::make_index_sequence<wanted>())
        .release()
        .ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const Interrupted&) {
    // Python has it already.
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::invalid_argument& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

/// `function` bound to `object`, which lives as long as what is returned.
template <class Self, auto function>
py::object direct_method(const py::object& object) {
  static PyMethodDef definition = {
      "direct_method",
      reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&call_directly<Self, function>)),
      METH_FASTCALL, nullptr};
  auto* pointer = const_cast<std::remove_const_t<Self>*>(&object.cast<const Self&>());
  const auto self =
      py::reinterpret_steal<py::object>(PyCapsule_New(pointer, nullptr, [](PyObject* capsule) {
        Py_DECREF(static_cast<PyObject*>(PyCapsule_GetContext(capsule)));
      }));
  if (!self) throw py::error_already_set();
  PyCapsule_SetContext(self.ptr(), py::object(object).release().ptr());
  auto method = py::reinterpret_steal<py::object>(PyCFunction_New(&definition, self.ptr()));
  if (!method) throw py::error_already_set();
  return method;
}

}  // namespace rnnfast
