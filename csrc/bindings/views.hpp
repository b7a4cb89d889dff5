// Arrays of up to three axes, whoever they are of: what the doors that are entered in a hurry look
// at, and make.
#pragma once

#include <array>

#include "bindings/arrays.hpp"

namespace rnnfast {

struct Shape {
  static constexpr int most_axes = 3;

  int axes = 0;
  std::array<index, most_axes> sizes;  // as many as there are axes

  Shape() = default;
  Shape(std::initializer_list<index> of) : axes(static_cast<int>(of.size())) {
    std::size_t i = 0;
    for (const index size : of) sizes[i++] = size;
  }
  bool operator==(const Shape& other) const {
    if (axes != other.axes) return false;
    for (std::size_t i = 0; i < static_cast<std::size_t>(axes); ++i) {
      if (sizes[i] != other.sizes[i]) return false;
    }
    return true;
  }
};

struct View {
  void* data = nullptr;
  Shape shape;
  std::array<index, Shape::most_axes> strides;  // of elements, as many as there are axes

  /// Whether it lies as an array of its shape does.
  bool is_dense() const {
    index stride = 1;
    for (auto i = static_cast<std::size_t>(shape.axes); i-- > 0;) {
      if (shape.sizes[i] != 1 && strides[i] != stride) return false;
      stride *= shape.sizes[i];
    }
    return true;
  }
  /// Whether its rows, along the last axis, are dense.
  bool has_dense_rows() const {
    const auto last = static_cast<std::size_t>(shape.axes - 1);
    return shape.sizes[last] == 1 || strides[last] == 1;
  }
};

/// A new array and its elements, which are not set.
struct NewArray {
  py::object object;
  void* data = nullptr;
};

}  // namespace rnnfast
