// NumPy's arrays by its own structures: a step of a small cell takes a microsecond, and the usual
// way of asking an array what it is would take as long.
#pragma once

#include "bindings/views.hpp"

namespace rnnfast {

class NumpyDoor {
 public:
  explicit NumpyDoor(ScalarType scalar)
      : dtype_(dtype_of(scalar)), numpy_(py::detail::npy_api::get()) {}

  /// Takes C-contiguous, aligned arrays of exactly NumPy's types; false for anything else.
  bool look(py::handle object, View& view) const {
    constexpr int wanted =
        py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    if (Py_TYPE(object.ptr()) != numpy_.PyArray_Type_) return false;
    const auto& proxy = *py::detail::array_proxy(object.ptr());
    if (proxy.descr != dtype_ || (proxy.flags & wanted) != wanted) return false;
    if (proxy.nd > Shape::most_axes) return false;
    view.data = proxy.data;
    view.shape.axes = proxy.nd;
    index stride = 1;
    for (auto i = static_cast<std::size_t>(proxy.nd); i-- > 0;) {
      view.shape.sizes[i] = proxy.dimensions[i];
      view.strides[i] = stride;
      stride *= proxy.dimensions[i];
    }
    return true;
  }

  /// py::array would put its shape and strides on the heap.
  NewArray make(const Shape& shape) const {
    auto array = py::reinterpret_steal<py::object>(
        numpy_.PyArray_NewFromDescr_(numpy_.PyArray_Type_, py::handle(dtype_).inc_ref().ptr(),
                                     shape.axes, shape.sizes.data(), nullptr, nullptr, 0, nullptr));
    if (!array) throw py::error_already_set();
    void* const data = pointer<void>(array);
    return {std::move(array), data};
  }

 private:
  /// NumPy's own, which live as long as it does.
  static PyObject* dtype_of(ScalarType scalar) {
    static PyObject* const single = py::dtype(type_number(ScalarType::float32)).release().ptr();
    static PyObject* const twice = py::dtype(type_number(ScalarType::float64)).release().ptr();
    return scalar == ScalarType::float32 ? single : twice;
  }

  PyObject* dtype_;
  const py::detail::npy_api& numpy_;
};

}  // namespace rnnfast
