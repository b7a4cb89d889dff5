// Small kernels that use all that a thread can do (cuda/machine.hpp), each with a result that is
// known (sample_checks.hpp).
#pragma once

#include <cstdint>

#include "cuda/row_sum.hpp"

namespace rnnfast {
namespace {

/// A number of each thread goes round the grid, a block further each step. There is room for two
/// for each thread, of which the first are given; results are there if `steps` is even.
struct AroundTheGrid {
  float* at;
  int steps;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const int count = m.blocks() * m.threads();
    const int own = m.block() * m.threads() + m.thread();
    const int from = (own + count - m.threads()) % count;
    for (int step = 0; step < steps; ++step) {
      const float value = m.load(at + step % 2 * count + from);
      m.store(at + (step + 1) % 2 * count + own, value + 1);
      m.sync_grid();
    }
  }
};

/// The same within clusters, by shared memory of two numbers for each thread.
struct AroundTheCluster {
  float* at;
  int steps;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const auto here = m.template shared<float>(0, 2 * m.threads());
    const auto next = m.peer(here, (m.cluster_rank() + 1) % m.cluster_blocks());
    const int own = m.block() * m.threads() + m.thread();
    here.set(m.thread(), m.load(at + own));
    m.sync_cluster();
    for (int step = 0; step < steps; ++step) {
      const float value = here.get(step % 2 * m.threads() + m.thread());
      next.set((step + 1) % 2 * m.threads() + m.thread(), value + 1);
      m.sync_cluster();
    }
    m.store(at + own, here.get(steps % 2 * m.threads() + m.thread()));
  }
};

/// to[block] = the sum of a block's numbers.
template <class T>
struct SumOfBlock {
  const T* from;
  T* to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const T sum = row_sum(m, m.load(from + m.block() * m.threads() + m.thread()));
    if (m.thread() == 0) m.store(to + m.block(), sum);
  }
};

/// A block's four numbers for each thread, backwards.
struct Backwards {
  const float* from;
  float* to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const int count = 4 * m.threads();
    const auto numbers = m.template shared<float>(0, count);
    m.copy_async(numbers, 4 * m.thread(), from + m.block() * count + 4 * m.thread());
    m.finish_copies();
    m.sync();
    for (int i = m.thread(); i < count; i += m.threads()) {
      m.store(to + m.block() * count + i, numbers.get(count - 1 - i));
    }
  }
};

/// c (16, 8) = a (16, 16) b (16, 8), b by its columns; numbers of 16 bits in pairs. By one warp.
template <class Stored>
struct ProductOfAWarp {
  const std::uint32_t* a;
  const std::uint32_t* b;
  float* c;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const int group = m.thread() / 4;
    const int pair = m.thread() % 4;
    const std::uint32_t of_a[4] = {m.load(a + group * 8 + pair), m.load(a + (group + 8) * 8 + pair),
                                   m.load(a + group * 8 + pair + 4),
                                   m.load(a + (group + 8) * 8 + pair + 4)};
    const std::uint32_t of_b[2] = {m.load(b + group * 8 + pair), m.load(b + group * 8 + pair + 4)};
    float d[4] = {};
    m.template mma<Stored>(d, of_a, of_b);
    for (int i = 0; i < 4; ++i) m.store(c + (group + i / 2 * 8) * 8 + 2 * pair + i % 2, d[i]);
  }
};

}  // namespace
}  // namespace rnnfast
