// Views of arrays that belong to someone else. A sequence is (T, B, width) with unit stride on its
// last axis and any strides, also zero or negative, on the other two: batch-first data, reversed
// time and broadcast gradients are all views. Strides count elements.
#pragma once

#include "base/dims.hpp"

namespace rnnfast {

template <class T>
struct Sequence {
  T* data = nullptr;  // null: absent
  index step_stride = 0;
  index row_stride = 0;
};

}  // namespace rnnfast
