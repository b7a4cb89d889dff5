// Two products in one loop:
//
//   far    c[FarV vectors]           = start + a[K] B[K, FarV]      one row; B comes from far away
//   near   sums[near_rows, NearV]   += strip[k, near_rows] B[k, NearV]     a slice of its k
//
// The product of a single row reads a vector of B for every fma and waits for it: from L2 on, the
// multipliers idle half the time or more. The fma of a product of several rows fit into that time.
// That one is tall and narrow, so that its own B is read seldom. Runs begin and end as in any tile
// (gemm/tile.hpp), those of the near product in whichever slice they do: its sums are handed on in
// memory. So neither product's bits change.
#pragma once

#include "gemm/tile.hpp"

namespace rnnfast {
namespace {

/// The near product's tile. Its sums, those of the far row, the near B and two broadcasts fill the
/// register file.
constexpr int near_rows = 10;
constexpr int near_vectors = tile_vectors / 2;

/// Steps of k of the far product to each of the near one: as much of both is done in the end, if
/// tiles are full.
constexpr int far_steps = near_rows * near_vectors / tile_vectors;
constexpr int rows_a_step = near_rows / far_steps;
static_assert(rows_a_step * far_steps == near_rows);

/// Elements from one k of the near product's strip to the next.
template <class T>
constexpr index near_strip = round_up(near_rows, lanes<T>);

/// A slice of the near product, `length` k that begin anywhere in a run.
template <class T>
struct SliceCall {
  const T* strip;  // [length][near_strip]
  index length;
  index rest_of_run;  // k from the slice's first to the end of the run that it is in
  index rest;         // and to the end of all
  index run;          // k of a later run, the last one shorter
  const T* b;         // [length][b_stride]
  index b_stride;
  Rows<const T> start;
  Rows<T> c;
  index rows;  // of c, at most near_rows
  T* sums;     // [near_rows][NearV][N]: of a run of which a part is done
};

template <class T, int NearV>
class NearSums {
  static constexpr index N = lanes<T>;

 public:
  explicit NearSums(const SliceCall<T>& call)
      : call_(call), before_(call.start), left_(call.length), rest_(call.rest) {
    run_ = call.rest_of_run;
#pragma GCC unroll 16
    for (int m = 0; m < near_rows; ++m) {
#pragma GCC unroll 4
      for (int v = 0; v < NearV; ++v) sum[m][v] = load(call.sums + (m * NearV + v) * N);
    }
  }
  /// k until the slice or a run in it ends.
  index left() const { return smaller(left_, run_); }
  // Inlined whatever it costs: called, it would want the sums in memory, and there they would stay.
  [[gnu::always_inline]] void done(index count) {
    left_ -= count;
    run_ -= count;
    rest_ -= count;
    if (run_ == 0) end_run();
  }
  void keep() const {
#pragma GCC unroll 16
    for (int m = 0; m < near_rows; ++m) {
#pragma GCC unroll 4
      for (int v = 0; v < NearV; ++v) store(call_.sums + (m * NearV + v) * N, sum[m][v]);
    }
  }
  Vec<T> sum[near_rows][NearV];

 private:
  [[gnu::always_inline]] void end_run() {
#pragma GCC unroll 16
    for (int m = 0; m < near_rows; ++m) {
      if (m < call_.rows) {
        const T* from = before_.at(m);
        T* c = call_.c.at(m);
#pragma GCC unroll 4
        for (int v = 0; v < NearV; ++v) store(c + v * N, load(from + v * N) + sum[m][v]);
      }
#pragma GCC unroll 4
      for (int v = 0; v < NearV; ++v) sum[m][v] = Vec<T>{};
    }
    before_ = {call_.c.base, call_.c.offset, call_.c.stride};
    run_ = smaller(call_.run, rest_);
  }

  const SliceCall<T>& call_;
  Rows<const T> before_;
  index left_;
  index rest_;
  index run_;
};

/// `far` has one row, whose runs are adjacent.
template <class T, int FarV, int NearV>
[[gnu::noinline]] void paired_tile(const TileCall<Plain<T>>& far, const SliceCall<T>& near) {
  constexpr index N = lanes<T>;
  NearSums<T, NearV> sums(near);
  const T* strip = near.strip;
  const T* b = near.b;
  const index b_stride = near.b_stride;
  const T* x = far.a.at(0);
  const T* far_b = far.b;
  const index far_stride = far.b_stride;
  const T* start = far.start.at(0);
  T* const c = far.c.at(0);
  for (index run = far.runs.count; run > 0; --run) {
    Vec<T> total[FarV] = {};
    index length = run > 1 ? far.runs.length : far.runs.last;
    while (true) {
      const index together = smaller(length / far_steps, sums.left());
      if (together == 0) break;
      index count = together;
      do {
        Vec<T> column[NearV];
#pragma GCC unroll 4
        for (int v = 0; v < NearV; ++v) column[v] = load(b + v * N);
#pragma GCC unroll 8
        for (int i = 0; i < far_steps; ++i) {
          const Vec<T> far_a = broadcast(x[i]);
#pragma GCC unroll 4
          for (int v = 0; v < FarV; ++v) total[v] = fma(far_a, load(far_b + v * N), total[v]);
          far_b += far_stride;
#pragma GCC unroll 4
          for (int j = 0; j < rows_a_step; ++j) {
            const int m = i * rows_a_step + j;
            const Vec<T> a = broadcast(strip[m]);
#pragma GCC unroll 4
            for (int v = 0; v < NearV; ++v) sums.sum[m][v] = fma(a, column[v], sums.sum[m][v]);
          }
        }
        strip += near_strip<T>;
        b += b_stride;
        x += far_steps;
      } while (--count > 0);
      length -= together * far_steps;
      sums.done(together);
    }
    for (; length > 0; --length, far_b += far_stride) {
      const Vec<T> far_a = broadcast(*x++);
#pragma GCC unroll 4
      for (int v = 0; v < FarV; ++v) total[v] = fma(far_a, load(far_b + v * N), total[v]);
    }
#pragma GCC unroll 4
    for (int v = 0; v < FarV; ++v) store(c + v * N, load(start + v * N) + total[v]);
    start = c;
  }
  while (sums.left() > 0) {
    const index count = sums.left();
    for (index k = 0; k < count; ++k, strip += near_strip<T>, b += b_stride) {
#pragma GCC unroll 16
      for (int m = 0; m < near_rows; ++m) {
        const Vec<T> a = broadcast(strip[m]);
#pragma GCC unroll 4
        for (int v = 0; v < NearV; ++v) sums.sum[m][v] = fma(a, load(b + v * N), sums.sum[m][v]);
      }
    }
    sums.done(count);
  }
  sums.keep();
}

template <class T>
using PairedTile = void (*)(const TileCall<Plain<T>>&, const SliceCall<T>&);

/// The paired tile of `far` and `near` vectors, at most tile_vectors and near_vectors.
template <class T>
inline PairedTile<T> paired_tile_for(index far, index near) {
  constexpr int two = near_vectors;
  switch (far) {
    case 1:
      return paired_tile<T, 1, 1>;
    case 2:
      return near == 1 ? paired_tile<T, 2, 1> : paired_tile<T, 2, two>;
    case 3:
      if constexpr (tile_vectors >= 3)
        return near == 1 ? paired_tile<T, 3, 1> : paired_tile<T, 3, two>;
      return nullptr;
    default:
      if constexpr (tile_vectors >= 4) return paired_tile<T, 4, two>;
      return nullptr;
  }
}

}  // namespace
}  // namespace rnnfast
