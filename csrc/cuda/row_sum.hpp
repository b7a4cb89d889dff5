// The sum of a number of each thread of a block, in an order that follows from the size of the
// block alone: halves of warps by shuffles, then warp after warp.
#pragma once

#include "cuda/machine.hpp"

namespace rnnfast {
namespace {

/// Bytes of shared memory, from its first on.
template <class T>
constexpr index row_sum_bytes(int threads) {
  return threads / warp_lanes * static_cast<index>(sizeof(T));
}

/// For every thread of the block, of whole warps.
template <class T, class Machine>
RNNFAST_BOTH inline T row_sum(Machine& m, T own) {
  const int warps = m.threads() / warp_lanes;
  const auto sums = m.template shared<T>(0, warps);
  for (int lanes = warp_lanes / 2; lanes > 0; lanes /= 2) own = own + m.shuffle_xor(own, lanes);
  if (m.thread() % warp_lanes == 0) sums.set(m.thread() / warp_lanes, own);
  m.sync();
  T total = sums.get(0);
  for (int warp = 1; warp < warps; ++warp) total = total + sums.get(warp);
  m.sync();  // before the memory serves the next sum
  return total;
}

}  // namespace
}  // namespace rnnfast
