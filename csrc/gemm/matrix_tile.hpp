// The tiles of a matrix unit (simd/matrix_unit.hpp):
//
//   matrix_tile<NV>         C[rows, NV vectors] = start + A[rows, K] B[K, NV]
//   matrix_strip_tile<NV>   C[16 columns, NV vectors] = start + strip[16, K] B[K, NV]
//
// A, B and C lie as for other tiles; a strip in blocks of 16 k, [k / 16][column][k % 16], since its
// columns are the rows of an A. Each output is a sum over blocks of 16 k, in order, and what is
// left at the end of a run; it begins at the start, a strip's, which is long, at zero.
#pragma once

#include <cassert>

#include "gemm/tile.hpp"

namespace rnnfast {
namespace {

#if defined(RNNFAST_MATRIX_UNIT)

/// Elements from one row to the next, or -1 where they are not evenly spaced, as where sequences
/// end.
template <class T>
inline index spacing(const Rows<T>& rows, int count) {
  if (count == 1 || rows.stride == 0) return 0;
  const index apart = rows.offset[1] - rows.offset[0];
  for (int m = 2; m < count; ++m) {
    if (rows.offset[m] - rows.offset[m - 1] != apart) return -1;
  }
  return apart * rows.stride;
}

/// Rows `stride` elements apart.
template <class T>
struct EvenRows {
  T* first;
  index stride;
  index bytes() const { return stride * static_cast<index>(sizeof(T)); }
};

/// C += A B.
template <int NV>
[[gnu::always_inline]] inline void add_runs(EvenRows<const BfloatOperand> a, const Runs& runs,
                                            EvenRows<const BfloatPair> b) {
  for (index run = runs.count; run > 0; --run, a.first += runs.stride) {
    const index length = run > 1 ? runs.length : runs.last;
    index k = 0;
    for (; k + matrix_pairs <= length; k += matrix_pairs, b.first += matrix_pairs * b.stride) {
      add_matrices<NV>(a.first + k, a.bytes(), b.first, b.bytes());
    }
    if (k == length) continue;
    add_tails<NV>(a.first + k, a.bytes(), b.first, b.bytes());
    b.first += (length - k) * b.stride;
  }
}

template <int NV>
[[gnu::always_inline]] inline void even_tile(EvenRows<const BfloatOperand> a, const Runs& runs,
                                             EvenRows<const BfloatPair> b,
                                             EvenRows<const float> start, EvenRows<float> c) {
  memory_is_seen();
  load_matrices<NV>(start.first, start.bytes());
  add_runs<NV>(a, runs, b);
  store_matrices<NV>(c.first, c.bytes());
  memory_is_seen();
}

/// The same of rows that are not evenly spaced: of copies of them.
template <int NV>
[[gnu::noinline]] void uneven_tile(const TileCall<Bf16>& call, int rows) {
  constexpr index width = NV * lanes<float>;
  alignas(64) BfloatOperand a[matrix_rows * k_block<Bf16>];
  alignas(64) float c[matrix_rows * width];
  Runs runs = call.runs;
  const index length = (runs.count - 1) * runs.length + runs.last;
  assert(length <= k_block<Bf16>);
  for (int m = 0; m < rows; ++m) {
    for (index run = 0; run < runs.count; ++run) {
      const index of_run = run + 1 < runs.count ? runs.length : runs.last;
      __builtin_memcpy(a + m * length + run * runs.length, call.a.at(m) + run * runs.stride,
                       static_cast<std::size_t>(of_run) * sizeof(BfloatOperand));
    }
    __builtin_memcpy(c + m * width, call.start.at(m), sizeof(float) * width);
  }
  runs.stride = runs.length;
  even_tile<NV>({a, length}, runs, {call.b, call.b_stride}, {c, width}, {c, width});
  for (int m = 0; m < rows; ++m) {
    __builtin_memcpy(call.c.at(m), c + m * width, sizeof(float) * width);
  }
}

template <int NV>
[[gnu::noinline]] void matrix_tile(const TileCall<Bf16>& call, int rows) {
  shape_matrices(rows, static_cast<int>(call.runs.last % matrix_pairs));
  const index a = spacing(call.a, rows);
  const index start = spacing(call.start, rows);
  const index c = spacing(call.c, rows);
  if (a < 0 || start < 0 || c < 0) return uneven_tile<NV>(call, rows);
  even_tile<NV>({call.a.at(0), a}, call.runs, {call.b, call.b_stride}, {call.start.at(0), start},
                {call.c.at(0), c});
}

template <int NV>
[[gnu::noinline]] void matrix_strip_tile(const StripCall<Bf16>& call) {
  constexpr index N = lanes<float>;
  alignas(64) float sums[matrix_rows * NV * N];
  shape_matrices(matrix_rows, 0);
  memory_is_seen();
  clear_matrices<NV>();
  const Runs blocks = {ceil_div(call.length, matrix_pairs), matrix_pairs, matrix_pairs,
                       matrix_rows * matrix_pairs};
  add_runs<NV>({call.strip, matrix_pairs}, blocks, {call.b, call.b_stride});
  store_matrices<NV>(sums, sizeof(float) * NV * N);
  memory_is_seen();
  for (index m = 0; m < matrix_rows; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      store(call.c + m * call.c_stride + v * N,
            load(call.start + m * call.start_stride + v * N) + load(sums + (m * NV + v) * N));
    }
  }
}

/// A tile of `rows`, to be called as others are.
struct MatrixTile {
  void (*of)(const TileCall<Bf16>&, int rows);
  int rows;
  void operator()(const TileCall<Bf16>& call) const { of(call, rows); }
};

template <class F>
  requires on_matrix_unit<F>
inline MatrixTile tile_for(index rows, index vectors) {
  static constexpr decltype(MatrixTile::of) tiles[] = {matrix_tile<1>, matrix_tile<2>,
                                                       matrix_tile<3>, matrix_tile<4>};
  return {tiles[vectors - 1], static_cast<int>(rows)};
}

template <class F>
  requires on_matrix_unit<F>
inline StripTile<F> strip_tile_for(index, index vectors) {
  static constexpr StripTile<F> tiles[] = {matrix_strip_tile<1>, matrix_strip_tile<2>,
                                           matrix_strip_tile<3>, matrix_strip_tile<4>};
  return tiles[vectors - 1];
}

#endif

}  // namespace
}  // namespace rnnfast
