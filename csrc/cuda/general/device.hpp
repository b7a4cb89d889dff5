// What the general driver asks of a device, a stream of it:
//
//   threads()                            of a block
//   run(blocks, shared_bytes, kernel)    a launch
//   multiply(product)
//   pass(work, key, body)                body(), which launches all of a pass, when `work` has been
//                                        placed in memory that is its own until the next pass; or a
//                                        graph of it, by its key (cuda/recordings.hpp)
//
// All of it in the order of one stream, by one thread at a time.
#pragma once

#include "cuda/product.hpp"
#include "cuda/recordings.hpp"
#include "cuda/row_sum.hpp"
#include "cuda/stored.hpp"

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

/// to = a + b, `count` numbers; null: zero.
template <class From, class To>
struct AddArrays {
  using T = ScalarOf<To>;
  index count;
  const From* a;
  const From* b;
  To* to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, count);
    if (!own.is_there()) return;
    const T of_a = a ? load_as<T>(m, a + own.at) : T(0);
    const T of_b = b ? load_as<T>(m, b + own.at) : T(0);
    store_as(m, to + own.at, of_a + of_b);
  }
};

/// to = a, `count` numbers; null: zero.
template <class Device, class From, class To>
inline void copy_array(Device& device, index count, const From* from, To* to) {
  if (count > 0) run_elements(device, 1, count, AddArrays<From, To>{count, from, nullptr, to});
}

}  // namespace
}  // namespace rnnfast
