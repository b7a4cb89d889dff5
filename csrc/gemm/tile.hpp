// The register tiles.
//
//   tile<M, NV>         C[M rows, NV vectors] = start + A[M, K] B[K, NV]
//   strip_tile<M, NV>   C[M columns, NV vectors] = start + sum_k strip[k, M] B[k, NV]
//
// Each output is a sum of ascending runs over k, each (or some, as the format says) one chain of
// fma begun at zero and then added to what was there, whatever the tile's size, so that the bits
// never depend on how rows and columns were cut. (Begun at the start instead, every small term
// would be rounded to the ulp of a large bias; as one long chain, its error would grow with K:
// float32 would err 1.25 times as much as oneDNN.) A is read by broadcasts, B by whole vectors. M x
// NV accumulators, NV vectors of B and a broadcast fill the register file: 6x4 and 8x3 of 32
// registers, 6x2 of 16; on Zen 5 that is 24 fma in 12 cycles against 10 loads.
#pragma once

#include "gemm/format.hpp"

namespace rnnfast {
namespace {

constexpr int tile_vectors = vector_registers == 32 ? 4 : 2;
constexpr int largest_tile_rows = 8;

// A block of at most so many rows of B stays in L2 while all row tiles pass over it; for a matrix
// unit, which L2 does not feed fast enough, in L1.
template <class F>
constexpr index k_block = on_matrix_unit<F> ? 64 : 1024;

// The longest chain of a sum over k and over rows. Shorter ones err less and cost more:
// bench/NOTES.md.
constexpr index longest_sum = 96;
constexpr index longest_row_sum = 96;

/// Rows of the tallest tile of `vectors` vectors that stays in registers.
constexpr int tile_rows(int vectors) {
  if (vector_registers == 32) return vectors == 4 ? 6 : 8;
  return vectors == 2 ? 6 : 8;
}

/// Rows of the tallest tile of a format.
template <class F>
constexpr int tallest_tile(int vectors) {
  return on_matrix_unit<F> ? matrix_rows : tile_rows(vectors);
}

/// Vectors of the widest tile for as many rows in all. The sums of one or two rows are too few
/// chains to keep the multipliers busy where tiles are narrow: these are as wide as eight sums make
/// them.
constexpr int widest_tile(index rows) {
  if (vector_registers == 32 || rows > 2) return tile_vectors;
  return rows == 2 ? 4 : 8;
}

/// Rows of a matrix wherever they lie: row i starts at base + offset[i] * stride.
template <class T>
struct Rows {
  T* base;
  const index* offset;
  index stride;
  T* at(index i) const { return base + offset[i] * stride; }
};

/// How k runs through a row of A: `count` runs of `length` adjacent elements (gemm/format.hpp),
/// `stride` apart, the last one of `last`; all at least 1.
struct Runs {
  index count;
  index length;
  index last;
  index stride;
};

/// Pointers are to this tile's first row, its first vector and its first k. B lies in columns
/// (gemm/columns.hpp).
template <class F>
struct TileCall {
  Rows<const typename F::A> a;
  Runs runs;
  const typename F::B* b;
  index b_stride;                     // from one k to the next
  index b_column;                     // from one column to the next, where the tile is wider
  Rows<const typename F::Sum> start;  // stride 0: the same for all rows
  Rows<typename F::Sum> c;
};

// With few registers, each line of C, which may come from L3, has little work to wait behind, and
// each k is little work to a turn of the loop (bench/NOTES.md).
constexpr bool tiles_ask_for_c = vector_registers == 16;
constexpr index k_at_once = vector_registers == 16 ? 2 : 1;

/// sum += a[M] b[NV vectors]: one k.
template <class F, int M, int NV>
[[gnu::always_inline]] inline void add_products(const typename F::A* const (&row)[M], index k,
                                                const typename F::B* b, index b_column,
                                                Vec<typename F::Sum> (&sum)[M][NV]) {
  constexpr index N = lanes<typename F::Sum>;
#pragma GCC unroll 2
  for (int pass = 0; pass < F::passes; ++pass) {
    decltype(F::read(b, pass)) column[NV];
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) {
      column[v] = F::read(b + v / tile_vectors * b_column + v % tile_vectors * N, pass);
    }
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) {
      const auto a = F::spread(row[m][k], pass);
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) sum[m][v] = F::add(a, column[v], sum[m][v]);
    }
  }
}

/// sum += the products of `length` k, in order, of which row m has those a `Step` apart. Leaves b
/// at the next.
template <class F, int Step, int M, int NV>
[[gnu::always_inline]] inline void add_run(const typename F::A* const (&row)[M],
                                           const typename F::B*& b, index b_stride, index b_column,
                                           index length, Vec<typename F::Sum> (&sum)[M][NV]) {
  index k = 0;
  for (; k + k_at_once <= length; k += k_at_once) {
#pragma GCC unroll 2
    for (index i = 0; i < k_at_once; ++i, b += b_stride) {
      add_products<F>(row, (k + i) * Step, b, b_column, sum);
    }
  }
  if (k_at_once > 1 && k < length) {
    add_products<F>(row, k * Step, b, b_column, sum);
    b += b_stride;
  }
}

template <class F, int M, int NV>
[[gnu::noinline]] void tile(const TileCall<F>& call) {
  using T = typename F::Sum;
  constexpr index N = lanes<T>;
  // Where rows lie, and all else that the call says, is read once: for all the compiler knows,
  // every store to C may change it.
  const typename F::A* row[M];
  const T* from[M];
  T* c[M];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    row[m] = call.a.at(m);
    from[m] = call.start.at(m);
    c[m] = call.c.at(m);
  }
  if constexpr (tiles_ask_for_c && M > 2) {
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) __builtin_prefetch(c[m], 1);
  }
  const Runs runs = call.runs;
  const typename F::B* b = call.b;
  const index b_stride = call.b_stride;
  const index b_column = call.b_column;
  index run = runs.count;
  do {
    Vec<T> sum[M][NV] = {};
    index chained = 0;
    do {
      add_run<F, 1>(row, b, b_stride, b_column, run > 1 ? runs.length : runs.last, sum);
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) row[m] += runs.stride;
    } while (--run > 0 && ++chained < runs_in_chain<F>);
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) {
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) store(c[m] + v * N, load(from[m] + v * N) + sum[m][v]);
      from[m] = c[m];
    }
  } while (run > 0);
}

template <class F>
struct StripCall {
  const typename F::A* strip;  // [K][M]
  index length;                // K, in elements
  const typename F::B* b;      // [K][b_stride]
  index b_stride;
  const typename F::Sum* start;  // [M][start_stride]; stride 0: the same for all columns
  index start_stride;
  typename F::Sum* c;  // [M][c_stride]
  index c_stride;
};

template <class F, int M, int NV>
[[gnu::noinline]] void strip_tile(const StripCall<F>& call) {
  using T = typename F::Sum;
  constexpr index N = lanes<T>;
  // The sums of all strips are far larger than a cache; fetch these while the tile computes.
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) __builtin_prefetch(call.c + m * call.c_stride + v * N, 1);
  }
  const typename F::A* row[M];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) row[m] = call.strip + m;
  T* const c = call.c;
  const index c_stride = call.c_stride;
  const typename F::B* b = call.b;
  const index b_stride = call.b_stride;
  const T* from = call.start;
  index from_stride = call.start_stride;
  index rest = call.length;
  do {
    Vec<T> sum[M][NV] = {};
    const index length = smaller(rest, longest_row_sum * runs_in_chain<F>);
    rest -= length;
    add_run<F, M>(row, b, b_stride, 0, length, sum);
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) {
        store(c + m * c_stride + v * N, load(from + m * from_stride + v * N) + sum[m][v]);
      }
      row[m] += length * M;
    }
    from = c;
    from_stride = c_stride;
  } while (rest > 0);
}

template <class F>
using Tile = void (*)(const TileCall<F>&);
template <class F>
using StripTile = void (*)(const StripCall<F>&);

template <class F, int NV>
constexpr Tile<F> tiles_of[largest_tile_rows] = {
    tile<F, 1, NV>, tile<F, 2, NV>, tile<F, 3, NV>, tile<F, 4, NV>, tile<F, 5, NV>, tile<F, 6, NV>,
    // Taller ones exist where they fit the registers; elsewhere nothing asks for them.
    tile_rows(NV) == 8 ? tile < F, tile_rows(NV) == 8 ? 7 : 1, NV > : nullptr,
    tile_rows(NV) == 8 ? tile < F, tile_rows(NV) == 8 ? 8 : 1, NV > : nullptr};

template <class F>
constexpr Tile<F> wide_tiles_of_one[] = {tile<F, 1, 3>, tile<F, 1, 4>, tile<F, 1, 5>,
                                         tile<F, 1, 6>, tile<F, 1, 7>, tile<F, 1, 8>};
template <class F>
constexpr Tile<F> wide_tiles_of_two[] = {tile<F, 2, 3>, tile<F, 2, 4>};

/// The tile of `rows` x `vectors`, at most tile_rows(vectors) x tile_vectors or, for a product of
/// one or two rows, their widest.
template <class F>
inline Tile<F> tile_for(index rows, index vectors) {
  if constexpr (widest_tile(1) > tile_vectors) {
    if (vectors > tile_vectors) {
      return (rows == 1 ? wide_tiles_of_one<F> : wide_tiles_of_two<F>)[vectors - 3];
    }
  }
  switch (vectors) {
    case 1:
      return tiles_of<F, 1>[rows - 1];
    case 2:
      return tiles_of<F, 2>[rows - 1];
    case 3:
      if constexpr (tile_vectors >= 3) return tiles_of<F, 3>[rows - 1];
      return nullptr;
    default:
      if constexpr (tile_vectors >= 4) return tiles_of<F, 4>[rows - 1];
      return nullptr;
  }
}

/// The strip tile for strips of 6 or 8 columns.
template <class F>
inline StripTile<F> strip_tile_for(index rows, index vectors) {
  const bool tall = rows == 8;
  switch (vectors) {
    case 1:
      return tall ? strip_tile<F, 8, 1> : strip_tile<F, 6, 1>;
    case 2:
      return tall && tile_rows(2) == 8 ? strip_tile<F, tile_rows(2), 2> : strip_tile<F, 6, 2>;
    case 3:
      if constexpr (tile_vectors >= 3) return tall ? strip_tile<F, 8, 3> : strip_tile<F, 6, 3>;
      return nullptr;
    default:
      if constexpr (tile_vectors >= 4) return strip_tile<F, 6, 4>;
      return nullptr;
  }
}

}  // namespace
}  // namespace rnnfast
