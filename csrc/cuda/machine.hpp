// What a kernel asks of the thread that runs it. A kernel is what it is called with, and its
// operator()(m) is a template over m, the thread: on a GPU a thin struct (cuda/gpu_thread.cuh), in
// tests on the CPU a fiber that finds races, barriers that not all reach, and memory that is not
// there (tests/native/emulation/).
//
//   thread() of threads()         its place in its block; 32 are a warp, adjacent, and go together
//   block() of blocks()           that of its block in the grid
//   load(p)   store(p, value)     the device's memory, all of it that a kernel touches
//   shared<T>(first, count)       `count` numbers of the block's own memory, from its byte `first`
//                                 on: get(i), set(i, value)
//   sync()   sync_grid()          until all threads of the block, of the grid, are here
//   shuffle_xor(value, mask)      the value of the lane whose number differs by these bits
//   copy_async(to, i, p)          16 bytes from p to shared memory, from its number i on; there
//   finish_copies()               after this, for the thread that began them; for others, after a
//                                 barrier
//   mma<Stored>(d, a, b)          D += A B of a warp: 16 x 16 by 16 x 8 numbers of 16 bits, sums in
//                                 float32, in the fragments of PTX's mma.m16n8k16
//
// and where blocks form clusters, neighbours that reach each other's shared memory
//
//   cluster_rank() of cluster_blocks()     the place of its block in the cluster
//   peer(shared, rank)                     the same piece of memory of another block
//   sync_cluster()
#pragma once

#include "base/dims.hpp"

namespace rnnfast {
namespace {

constexpr int warp_lanes = 32;

/// One number of each unit of each row, (B, H): a thread takes one. The blocks of a row are
/// adjacent.
struct Element {
  index row;
  index unit;
  index units;
  index at;  // in the array

  RNNFAST_BOTH Element(index row, index unit, index units)
      : row(row), unit(unit), units(units), at(row * units + unit) {}

  RNNFAST_BOTH bool is_there() const { return unit < units; }
};

RNNFAST_BOTH inline index blocks_of_row(index units, int threads) {
  return ceil_div(units, threads);
}

/// The thread's own; it has none if its unit is past the last.
template <class Machine>
RNNFAST_BOTH Element element_of(const Machine& m, index units) {
  const int of_row = static_cast<int>(blocks_of_row(units, m.threads()));
  const index row = m.block() / of_row;
  const index unit = m.block() % of_row * static_cast<index>(m.threads()) + m.thread();
  return {row, unit, units};
}

}  // namespace
}  // namespace rnnfast
