// Arrays of up to three axes, whoever they are of: what the doors that are entered in a hurry look
// at, and make.
#pragma once

#include <array>

#include "bindings/arrays.hpp"

namespace rnnfast {

struct Shape {
  static constexpr int most_axes = 3;

  int axes = 0;
  std::array<index, most_axes> sizes = {};

  Shape() = default;
  Shape(std::initializer_list<index> of) : axes(static_cast<int>(of.size())) {
    std::size_t i = 0;
    for (const index size : of) sizes[i++] = size;
  }
  /// One by one: numbers just written wait for nothing if they are read as they were written.
  bool operator==(const Shape& other) const {
    return axes == other.axes && sizes[0] == other.sizes[0] && sizes[1] == other.sizes[1] &&
           sizes[2] == other.sizes[2];
  }
};

struct View {
  void* data = nullptr;
  Shape shape;
  std::array<index, Shape::most_axes> strides = {};  // of elements

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
