// What the general driver asks of a device:
//
//   take<T>(count)        memory for as long as the pass's history lives
//   copy(numbers)         the same, with a vector of the host's in it
//   threads()             of a block
//   run(blocks, shared_bytes, kernel)
//   multiply(product)
//
// All of it in the order of one stream.
#pragma once

#include "cuda/product.hpp"
#include "cuda/row_sum.hpp"

namespace rnnfast {
namespace {

/// A kernel that takes the elements of a (rows, units) array one by one.
template <class Device, class Kernel>
inline void run_elements(Device& device, index rows, index units, const Kernel& kernel) {
  if (rows > 0) device.run(rows * blocks_of_row(units, device.threads()), 0, kernel);
}

/// One that takes row after row, with sums of T over them.
template <class T, class Device, class Kernel>
inline void run_rows(Device& device, index rows, const Kernel& kernel) {
  if (rows > 0) device.run(rows, row_sum_bytes<T>(device.threads()), kernel);
}

}  // namespace
}  // namespace rnnfast
