// A resident product on tensor cores, of numbers of 16 bits and with sums in float32. For rows b of
// a chunk and the block's rows q of R
//
//   sum[q][b] = sum over k of R[q][k] operand[b][k]
//
// R is A of mma.m16n8k16, sixteen rows a tile; B are eight rows of the batch, an octet. A warp
// takes some tiles, and warps side by side all of them; as many such lots of warps as there are
// share K, in spans, and their sums are added in the order of the lots. Of its share a warp keeps
// the first spans in registers, and all others in shared memory, each lane's 16 bytes of a fragment
// adjacent.
//
// The order of K in a product is free. In a span of 32 numbers, two products long, lane 4 g + i
// takes of its row g the eight from 8 i on, 16 bytes of one access, in either operand:
//
//   columns of A, rows of B      2 i, 2 i + 1     2 i + 8, 2 i + 9
//   of the first product         8 i, 8 i + 1     8 i + 2, 8 i + 3
//   of the second                8 i + 4, ...     8 i + 6, ...
//
// What is not there is zero on both sides, so that NaN stays in its row. A driver asks of it what
// it asks of any resident product (cuda/persistent/engine.hpp), and it of the operand
//
//   operand.quads              in the block's memory (cuda/persistent/quad.hpp)
//   operand.first_quad(row)    where those of a row begin
#pragma once

#include <utility>

#include "cuda/persistent/engine.hpp"
#include "cuda/persistent/quad.hpp"

namespace rnnfast {
namespace {

/// `tiles` of a warp, of which `kept` spans are in registers.
template <class Machine, class Stored, int tiles, int kept>
class MmaProduct {
  static_assert(is_short<Stored>);

 public:
  /// With which its registers are the most that a thread may have.
  static constexpr int most_threads = 256;
  /// Of a multiprocessor in a step, as for any product (cuda/persistent/lane_product.hpp).
  static constexpr index multiplications_worth_it = index{8} << 20;

  /// More than any block has where there are more rows of R than warps to take them.
  RNNFAST_BOTH static int shared_bytes(const ProductSizes& of, int threads) {
    const Deal deal(of, threads / warp_lanes);
    if (deal.across * warp_lanes > threads) return 1 << 28;
    return deal.fragment_bytes() + deal.sum_bytes(of);
  }

  RNNFAST_BOTH MmaProduct(Machine& m, int first_byte, const ProductSizes& of)
      : of_(of),
        deal_(of, m.threads() / warp_lanes),
        fragments_(m.template shared<Quad>(first_byte, deal_.fragment_bytes() / quad_bytes)),
        sums_(m.template shared<float>(first_byte + deal_.fragment_bytes(),
                                       deal_.sum_bytes(of) / static_cast<int>(sizeof(float)))),
        warp_(m.thread() / warp_lanes),
        lane_(m.thread() % warp_lanes),
        begin_(static_cast<int>(smaller(warp_ / deal_.across * deal_.each, deal_.spans))),
        spans_(static_cast<int>(smaller(deal_.each, deal_.spans - begin_))) {}

  RNNFAST_BOTH void load(Machine& m, const ResidentRows<Stored>& from) {
    RNNFAST_UNROLL(64)
    for (int j = 0; j < kept; ++j) load(m, from, j, kept_[j]);
    for (int j = kept; j < spans_; ++j) {
      Fragments of_span;
      load(m, from, j, of_span);
      RNNFAST_UNROLL(16)
      for (int t = 0; t < tiles; ++t) {
        if (t >= deal_.there) continue;
        fragments_.set(place(j, t, 0), of_span.of[t][0]);
        fragments_.set(place(j, t, 1), of_span.of[t][1]);
      }
    }
  }

  template <class Operand>
  RNNFAST_BOTH void multiply(Machine& m, const Operand& operand, const Span& rows) const {
    if (warp_ >= deal_.across * deal_.deep) return;
    const int octets = static_cast<int>(ceil_div(rows.size(), octet));
    int first = 0;
    for (; first + 1 < octets; first += 2) take<2>(m, operand, rows, first);
    if (first < octets) take<1>(m, operand, rows, first);
  }

  RNNFAST_BOTH float sum(Machine&, int row, int q) const {
    float found = sums_.get(row * deal_.stride() + q);
    for (int lot = 1; lot < deal_.deep; ++lot) {
      found = found + sums_.get((lot * of_.chunk_rows + row) * deal_.stride() + q);
    }
    return found;
  }

 private:
  static constexpr int octet = MmaRows::octet;
  static constexpr int tile_rows = 16;  // of R
  static constexpr int span = MmaRows::span;

  /// Of a span: each tile's two products.
  struct Fragments {
    Quad of[tiles][2];
  };

  /// How warps share the work.
  struct Deal {
    int across;  // warps side by side
    int deep;    // lots of them
    int spans;   // of K, in all
    int each;    // for a lot
    int there;   // tiles of a warp, where there are fewer than one takes

    RNNFAST_BOTH Deal(const ProductSizes& of, int warps)
        : across((of.count + tiles * tile_rows - 1) / (tiles * tile_rows)),
          deep(within_warps(warps / across, (of.length + span - 1) / span)),
          spans((of.length + span - 1) / span),
          each((spans + deep - 1) / deep),
          there(static_cast<int>(smaller((of.count + tile_rows - 1) / tile_rows, tiles))) {}

    RNNFAST_BOTH static int within_warps(int lots, int spans) {
      return static_cast<int>(within(lots, {1, spans}));
    }
    RNNFAST_BOTH int in_memory() const { return each > kept ? each - kept : 0; }
    RNNFAST_BOTH int fragment_bytes() const {
      return across * deep * in_memory() * 2 * there * warp_lanes * quad_bytes;
    }
    /// From a row's sums to the next one's; lanes that write at once find 32 banks.
    RNNFAST_BOTH int stride() const { return across * tiles * tile_rows + 4; }
    RNNFAST_BOTH int sum_bytes(const ProductSizes& of) const {
      return deep * of.chunk_rows * stride() * static_cast<int>(sizeof(float));
    }
  };

  RNNFAST_BOTH int first_tile() const { return warp_ % deal_.across * tiles; }

  /// Of a span that is in shared memory.
  RNNFAST_BOTH int place(int j, int tile, int product) const {
    const int of_warp = warp_ * deal_.in_memory() + j - kept;
    return ((of_warp * deal_.there + tile) * 2 + product) * warp_lanes + lane_;
  }

  RNNFAST_BOTH void load(Machine& m, const ResidentRows<Stored>& from, int j, Fragments& to) const {
    RNNFAST_UNROLL(16)
    for (int t = 0; t < tiles; ++t) {
      const int q = (first_tile() + t) * tile_rows + lane_ / 4;
      const int k = (begin_ + j) * span + lane_ % 4 * 8;
      RNNFAST_UNROLL(4)
      for (int i = 0; i < 4; ++i) {
        to.of[t][i / 2].words[i % 2 * 2] = two(m, from, j, q, k + 2 * i);
        to.of[t][i / 2].words[i % 2 * 2 + 1] = two(m, from, j, q + 8, k + 2 * i);
      }
    }
  }

  RNNFAST_BOTH std::uint32_t two(Machine& m, const ResidentRows<Stored>& from, int j, int q,
                                 int k) const {
    const bool there = j < spans_ && q < of_.count && from.is_there(q);
    const std::uint32_t first = there && k < of_.length ? m.load(from.at(q, k)).bits : 0;
    const std::uint32_t second = there && k + 1 < of_.length ? m.load(from.at(q, k + 1)).bits : 0;
    return first | second << 16;
  }

  template <int octets, class Operand>
  RNNFAST_BOTH void take(Machine& m, const Operand& operand, const Span& rows, int first) const {
    float d[octets][tiles][4] = {};
    int from[octets];
    RNNFAST_UNROLL(2)
    for (int o = 0; o < octets; ++o) {
      // Rows past the last are the last once more: their sums go nowhere.
      const index row = smaller(rows.begin + (first + o) * octet + lane_ / 4, rows.end - 1);
      from[o] = operand.first_quad(row) + begin_ * warp_lanes + lane_ % 4;
    }
    RNNFAST_UNROLL(64)
    for (int j = 0; j < kept; ++j) {
      if (j < spans_) add<octets>(m, operand, from, j, kept_[j], d);
    }
    for (int j = kept; j < spans_; ++j) {
      Fragments of_span;
      RNNFAST_UNROLL(16)
      for (int t = 0; t < tiles; ++t) {
        // One that is not there is the last once more: its sums go nowhere.
        const int tile = static_cast<int>(smaller(t, deal_.there - 1));
        of_span.of[t][0] = fragments_.get(place(j, tile, 0));
        of_span.of[t][1] = fragments_.get(place(j, tile, 1));
      }
      add<octets>(m, operand, from, j, of_span, d);
    }
    leave<octets>(first, d);
  }

  template <int octets, class Operand>
  RNNFAST_BOTH void add(Machine& m, const Operand& operand, const int (&from)[octets], int j,
                        const Fragments& a, float (&d)[octets][tiles][4]) const {
    RNNFAST_UNROLL(2)
    for (int o = 0; o < octets; ++o) {
      const Quad of_row = operand.quads.get(from[o] + j * warp_lanes);
      RNNFAST_UNROLL(2)
      for (int product = 0; product < 2; ++product) {
        const std::uint32_t b[2] = {of_row.words[2 * product], of_row.words[2 * product + 1]};
        RNNFAST_UNROLL(16)
        for (int t = 0; t < tiles; ++t) m.template mma<Stored>(d[o][t], a.of[t][product].words, b);
      }
    }
  }

  template <int octets>
  RNNFAST_BOTH void leave(int first, const float (&d)[octets][tiles][4]) const {
    RNNFAST_UNROLL(2)
    for (int o = 0; o < octets; ++o) {
      RNNFAST_UNROLL(16)
      for (int t = 0; t < tiles; ++t) {
        RNNFAST_UNROLL(4)
        for (int i = 0; i < 4; ++i) {
          const int row = (first + o) * octet + lane_ % 4 * 2 + i % 2;
          const int q = (first_tile() + t) * tile_rows + lane_ / 4 + i / 2 * 8;
          sums_.set((warp_ / deal_.across * of_.chunk_rows + row) * deal_.stride() + q, d[o][t][i]);
        }
      }
    }
  }

  using Fragment = decltype(std::declval<Machine&>().template shared<Quad>(0, 0));
  using Sums = decltype(std::declval<Machine&>().template shared<float>(0, 0));

  ProductSizes of_;
  Deal deal_;
  Fragment fragments_;
  Sums sums_;
  int warp_;
  int lane_;
  int begin_;  // the warp's first span
  int spans_;  // how many it has
  Fragments kept_[kept];
};

}  // namespace
}  // namespace rnnfast
