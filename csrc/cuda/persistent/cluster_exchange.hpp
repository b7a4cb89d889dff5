// An exchange within a cluster of blocks, by the memory of its blocks: each has all numbers of its
// rows, twice. While products read one copy, the blocks write their own numbers of the next step
// into the other, their own and everyone else's, and meet at the cluster's barrier. A step later
// the copies change places, so that whoever writes does so after a barrier that all readers were
// at.
//
//             block 0         block 1                         u0, u1: numbers of their units
//   step t    [u0 u1]         [u0 u1]      read
//             [u0 ..] <-----> [.. u1]      written
//
// A group of blocks that share rows (cuda/persistent/division.hpp) is a cluster.
#pragma once

#include <type_traits>
#include <utility>

#include "cuda/persistent/engine.hpp"
#include "cuda/persistent/quad.hpp"

namespace rnnfast {
namespace {

template <class Machine, class Stored>
class ClusterExchange {
  using Rows = std::conditional_t<is_short<Stored>, MmaRows, PlainRows>;
  using Numbers = decltype(std::declval<Machine&>().template shared<Stored>(0, 0));
  using Quads = decltype(std::declval<Machine&>().template shared<Quad>(0, 0));
  static constexpr int of_quad = quad_bytes / static_cast<int>(sizeof(Stored));

 public:
  RNNFAST_BOTH static int shared_bytes(int width, index rows) {
    return 2 * copy_bytes(width, rows);
  }

  /// Nobody writes into the memory of a block that has not begun, nor before it is all zero.
  RNNFAST_BOTH ClusterExchange(Machine& m, int first_byte, const Share& share, int width,
                               index rows)
      : share_(share),
        at_(width),
        width_(width),
        rows_(static_cast<int>(rows)),
        numbers_(m.template shared<Stored>(first_byte, 2 * at_.numbers(rows_))),
        quads_(m.template shared<Quad>(first_byte, 2 * copy_quads())) {
    for (int i = m.thread(); i < 2 * copy_quads(); i += m.threads()) quads_.set(i, Quad{});
    m.sync_cluster();
  }

  RNNFAST_BOTH void begin(Machine& m, const RowsInMemory<Stored>& from, index active) const {
    for (index row = share_.begin; row < active; row += share_.stride) {
      const Span chunk = share_.chunk(row, active);
      for (int i = m.thread(); i < chunk.size() * width_; i += m.threads()) {
        const index of = chunk.begin + i / width_;
        const int k = i % width_;
        numbers_.set(place(now_, of, k), m.load(from.first + of * from.stride + k));
      }
    }
  }

  RNNFAST_BOTH void publish(Machine&, index row, index k, Stored value) const {
    numbers_.set(place(1 - now_, row, static_cast<int>(k)), value);
  }

  RNNFAST_BOTH void meet(Machine& m) {
    m.sync();
    const bool in_quads =
        share_.first % of_quad == 0 && share_.units % of_quad == 0 && share_.all % of_quad == 0;
    if (in_quads) {
      give<of_quad>(m, quads_);
    } else {
      give<1>(m, numbers_);
    }
    m.sync_cluster();
    now_ = 1 - now_;
  }

  /// The numbers that products read.
  struct Operand {
    Share share;
    Rows at;
    int first;
    Numbers numbers;
    Quads quads;

    RNNFAST_BOTH ScalarOf<Stored> get(Machine&, index row, int k) const {
      const int local = static_cast<int>(share.local(row));
      return converted<ScalarOf<Stored>>(numbers.get(first + at.at(local, k)));
    }
    RNNFAST_BOTH int first_quad(index row) const {
      return first / of_quad + at.first_quad(static_cast<int>(share.local(row)));
    }
  };

  RNNFAST_BOTH Operand operand(Machine&, const RowsInMemory<Stored>&) const {
    return {share_, at_, now_ * at_.numbers(rows_), numbers_, quads_};
  }

 private:
  RNNFAST_BOTH static int copy_bytes(int width, index rows) {
    return Rows(width).numbers(static_cast<int>(rows)) * static_cast<int>(sizeof(Stored));
  }
  RNNFAST_BOTH int copy_quads() const { return at_.numbers(rows_) / of_quad; }

  RNNFAST_BOTH int place(int copy, index row, int k) const {
    return copy * at_.numbers(rows_) + at_.at(static_cast<int>(share_.local(row)), k);
  }

  /// The block's own numbers, of each part its units', `count` at a time: to all others, each
  /// beginning with its neighbour.
  template <int count, class Memory>
  RNNFAST_BOTH void give(Machine& m, const Memory& memory) const {
    const int units = static_cast<int>(share_.units) / count;
    const int of_row = width_ / static_cast<int>(share_.all) * units;
    const int others = m.cluster_blocks() - 1;
    for (int i = m.thread(); i < rows_ * of_row * others; i += m.threads()) {
      const int own = i / others;
      const int part = own % of_row / units;
      const int k = part * static_cast<int>(share_.all) + static_cast<int>(share_.first) +
                    own % units * count;
      const int at = ((1 - now_) * at_.numbers(rows_) + at_.at(own / of_row, k)) / count;
      const int rank = (m.cluster_rank() + 1 + i % others) % m.cluster_blocks();
      m.peer(memory, rank).set(at, memory.get(at));
    }
  }

  Share share_;
  Rows at_;
  int width_;
  int rows_;
  Numbers numbers_;
  Quads quads_;
  int now_ = 0;
};

}  // namespace
}  // namespace rnnfast
