// Arrays of a device come as their geometry, ndarrays over the device's addresses (capsules.cpp),
// of NumPy's types: of bfloat16, which NumPy has not, as uint16.
#pragma once

#include <stdexcept>

#include "api/device.hpp"
#include "bindings/arrays.hpp"

namespace rnnfast {

constexpr int number_of_half = 23;  // NPY_HALF
constexpr int number_of_bfloat16 = py::detail::npy_api::NPY_USHORT_;

inline StorageType stored_in(const py::dtype& dtype) {
  switch (dtype.num()) {
    case number_of_half:
      return StorageType::float16;
    case number_of_bfloat16:
      return StorageType::bfloat16;
    default:
      return storage_of(scalar_of(dtype));
  }
}

inline DeviceView view_of(const py::array& geometry) {
  DeviceView view = {const_cast<void*>(geometry.data()), {}, {}};
  const auto bytes = static_cast<index>(geometry.itemsize());
  const auto absent = DeviceView::axes - static_cast<int>(geometry.ndim());
  if (absent < 0) throw std::invalid_argument("an array of more than four axes");
  for (int axis = 0; axis < DeviceView::axes; ++axis) {
    view.sizes[axis] = axis < absent ? 1 : geometry.shape(axis - absent);
    view.strides[axis] = axis < absent ? 0 : geometry.strides(axis - absent) / bytes;
  }
  return view;
}

}  // namespace rnnfast
