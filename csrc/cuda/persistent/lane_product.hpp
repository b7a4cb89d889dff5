// A resident product by fused multiply-adds. For rows b of a chunk and the block's rows q of R
//
//   sum[b][q] = sum over k of R[q][k] operand[b][k]
//
// R lies in shared memory. A warp takes a tile of J rows of R by N of the operand, lane l the
// numbers k = l, l + 32, ... of a piece of the K: J + N numbers are read for J N multiplications,
// all of adjacent lanes adjacent. Lanes then add up by halves, so that each is left with its own of
// the tile's sums. Where there are fewer tiles than warps, K is cut into pieces, whose sums are
// added in the order of the pieces: nothing depends on which warp comes first.
#pragma once

#include <utility>

#include "cuda/persistent/engine.hpp"
#include "cuda/stored.hpp"

namespace rnnfast {
namespace {

template <class Machine, class Stored>
class LaneProduct {
  using T = ScalarOf<Stored>;

 public:
  /// Which leave each of them the registers of a tile of sums.
  static constexpr int most_threads = 384;
  /// Of a multiprocessor in a step: beyond, a library's product of all rows is so much faster that
  /// reading R again costs less.
  static constexpr index multiplications_worth_it = index{2} << 20;

  RNNFAST_BOTH static int shared_bytes(const ProductSizes& of, int threads) {
    const int sums = pieces(of, threads / warp_lanes) * of.chunk_rows * of.count;
    return weight_bytes(of) + sums * static_cast<int>(sizeof(T));  // a multiple of 16
  }

  RNNFAST_BOTH LaneProduct(Machine& m, int first_byte, const ProductSizes& of)
      : of_(of),
        pieces_(pieces(of, m.threads() / warp_lanes)),
        weights_(m.template shared<Stored>(first_byte, of.count * padded(of))),
        sums_(m.template shared<T>(first_byte + weight_bytes(of),
                                   pieces_ * of.chunk_rows * of.count)) {}

  RNNFAST_BOTH void load(Machine& m, const ResidentRows<Stored>& from) const {
    const int width = padded(of_);
    const bool across = from.stride > 1;  // what is adjacent in memory, adjacent threads take
    for (int i = m.thread(); i < of_.count * width; i += m.threads()) {
      const int q = across ? i % of_.count : i / width;
      const int k = across ? i / of_.count : i % width;
      const bool there = k < of_.length && from.is_there(q);
      weights_.set(q * width + k, there ? m.load(from.at(q, k)) : Stored{});
    }
  }

  template <class Operand>
  RNNFAST_BOTH void multiply(Machine& m, const Operand& operand, const Span& rows) const {
    const int tiles = ceil_div_of(of_.count, tile_weights);
    const int octets = ceil_div_of(static_cast<int>(rows.size()), tile_rows);
    const int warps = m.threads() / warp_lanes;
    for (int i = m.thread() / warp_lanes; i < tiles * octets * pieces_; i += warps) {
      const int first = i % tiles * tile_weights;
      const int octet = i / tiles % octets;
      const int piece = i / (tiles * octets);
      if (rows.size() - octet * tile_rows > few_rows) {
        take<tile_rows>(m, operand, rows, first, octet * tile_rows, piece);
      } else {
        take<few_rows>(m, operand, rows, first, octet * tile_rows, piece);
      }
    }
  }

  RNNFAST_BOTH T sum(Machine&, int row, int q) const {
    T found = sums_.get(row * of_.count + q);
    for (int piece = 1; piece < pieces_; ++piece) {
      found = found + sums_.get((piece * of_.chunk_rows + row) * of_.count + q);
    }
    return found;
  }

 private:
  static constexpr int tile_rows = 8;
  static constexpr int few_rows = 2;  // a tile of fewer rows of the operand reads R as fast
  static constexpr int tile_weights = 32 / static_cast<int>(sizeof(T));

  RNNFAST_BOTH static constexpr int ceil_div_of(int a, int b) { return (a + b - 1) / b; }
  RNNFAST_BOTH static int padded(const ProductSizes& of) {
    return ceil_div_of(of.length, warp_lanes) * warp_lanes;
  }
  RNNFAST_BOTH static int weight_bytes(const ProductSizes& of) {
    return of.count * padded(of) * static_cast<int>(sizeof(Stored));
  }
  /// As many as keep all warps busy with a whole chunk.
  RNNFAST_BOTH static int pieces(const ProductSizes& of, int warps) {
    const int tiles = ceil_div_of(of.count, tile_weights) * (of.chunk_rows / tile_rows);
    const int most = padded(of) / warp_lanes;
    return static_cast<int>(within(warps / tiles, {1, most}));
  }

  template <int N, class Operand>
  RNNFAST_BOTH void take(Machine& m, const Operand& operand, const Span& rows, int first, int begin,
                         int piece) const {
    constexpr int J = tile_weights;
    const int lane = m.thread() % warp_lanes;
    const int last = static_cast<int>(rows.size()) - 1;
    const int width = padded(of_);
    const Span blocks = share(width / warp_lanes, piece, pieces_);
    T sums[J * N] = {};
    for (int k = static_cast<int>(blocks.begin) * warp_lanes + lane; k < blocks.end * warp_lanes;
         k += warp_lanes) {
      T of_row[N];
      RNNFAST_UNROLL(8)
      for (int n = 0; n < N; ++n) {
        // Rows past the last are the last once more: their sums go nowhere.
        const index row = rows.begin + smaller(begin + n, last);
        of_row[n] = k < of_.length ? operand.get(m, row, k) : T(0);
      }
      RNNFAST_UNROLL(8)
      for (int j = 0; j < J; ++j) {
        const int q = static_cast<int>(smaller(first + j, of_.count - 1));
        const T weight = converted<T>(weights_.get(q * width + k));
        RNNFAST_UNROLL(8)
        for (int n = 0; n < N; ++n) sums[j * N + n] = fma(weight, of_row[n], sums[j * N + n]);
      }
    }
    const int offset = add_up<J * N, warp_lanes / 2>(m, lane, sums);
    constexpr int left = J * N / warp_lanes > 0 ? J * N / warp_lanes : 1;
    constexpr int holders = J * N < warp_lanes ? warp_lanes / (J * N) : 1;
    if (lane % holders) return;
    RNNFAST_UNROLL(8)
    for (int i = 0; i < left; ++i) {
      const int q = first + (offset + i) / N;
      const int row = begin + (offset + i) % N;
      if (q >= of_.count || row > last) continue;
      sums_.set((piece * of_.chunk_rows + row) * of_.count + q, sums[i]);
    }
  }

  /// Sums over lanes: of each pair one keeps the first half of the numbers, one the second. Returns
  /// which the first is that the lane is left with.
  template <int count, int bit, int size>
  RNNFAST_BOTH static int add_up(Machine& m, int lane, T (&sums)[size]) {
    if constexpr (bit == 0) {
      return 0;
    } else if constexpr (count == 1) {
      sums[0] = sums[0] + m.shuffle_xor(sums[0], bit);
      return add_up<1, bit / 2>(m, lane, sums);
    } else {
      constexpr int half = count / 2;
      const bool second = lane & bit;
      RNNFAST_UNROLL(32)
      for (int i = 0; i < half; ++i) {
        const T given = second ? sums[i] : sums[half + i];
        const T kept = second ? sums[half + i] : sums[i];
        sums[i] = kept + m.shuffle_xor(given, bit);
      }
      return (second ? half : 0) + add_up<half, bit / 2>(m, lane, sums);
    }
  }

  using Weights = decltype(std::declval<Machine&>().template shared<Stored>(0, 0));
  using Sums = decltype(std::declval<Machine&>().template shared<T>(0, 0));

  ProductSizes of_;
  int pieces_;
  Weights weights_;
  Sums sums_;
};

}  // namespace
}  // namespace rnnfast
