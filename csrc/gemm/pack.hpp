// Packing: matrices copied into the order in which the tiles read them.
//
//   pack_lanes     N rows of W (lanes of one vector) side by side:  to[k][lane] = W[lane][k], as B
//                  of a format
//   unpack_lanes   the way back:                                    W[lane][k] = from[k][lane]
//   pack_row       one row of W, padded with zeros to whole vectors
//   pack_strips    M columns each of rows that lie anywhere:        to[k][m] = rows[k][m]
//
// Lane packing goes through N x N transposes in registers: their loops are unrolled, because a
// block that is indexed by a variable stands in memory.
#pragma once

#include "gemm/tile.hpp"
#include "simd/transpose.hpp"

namespace rnnfast {
namespace {

/// `rows` <= N rows of W, `length` long and `w_stride` apart; missing lanes become zero, and so do
/// k that an element has room for beyond the last.
template <class F>
inline void pack_lanes(const typename F::Sum* w, index w_stride, index rows, index length,
                       typename F::B* to, index to_stride) {
  using T = typename F::Sum;
  constexpr int N = static_cast<int>(lanes<T>);
  constexpr int group = static_cast<int>(F::group);
  for (index k = 0; k < length; k += N, to += N / group * to_stride) {
    const index valid = smaller(N, length - k);
    Vec<T> block[N];
#pragma GCC unroll 16
    for (int lane = 0; lane < N; ++lane) {
      const T* from = w + lane * w_stride + k;
      block[lane] = lane >= rows ? Vec<T>{} : valid == N ? load(from) : load_first(from, valid);
    }
    transpose<T>(block);
#pragma GCC unroll 16
    for (int i = 0; i < N; i += group) {
      if (i < valid) F::write(to + i / group * to_stride, block + i);
    }
  }
}

template <class T>
inline void unpack_lanes(const T* from, index from_stride, index rows, index length, T* w,
                         index w_stride) {
  constexpr int N = static_cast<int>(lanes<T>);
  for (index k = 0; k < length; k += N) {
    const index valid = smaller(N, length - k);
    Vec<T> block[N];
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) {
      block[i] = i < valid ? load(from + (k + i) * from_stride) : Vec<T>{};
    }
    transpose<T>(block);
#pragma GCC unroll 16
    for (int lane = 0; lane < N; ++lane) {
      if (lane >= rows) break;
      T* to = w + lane * w_stride + k;
      valid == N ? store(to, block[lane]) : store_first(to, block[lane], valid);
    }
  }
}

/// `length` elements, then zeros up to `padded`, a multiple of N.
template <class T>
inline void pack_row(const T* from, index length, index padded, T* to) {
  constexpr index N = lanes<T>;
  index i = 0;
  for (; i + N <= length; i += N) store(to + i, load(from + i));
  if (i < length) {
    store(to + i, load_first(from + i, length - i));
    i += N;
  }
  for (; i < padded; i += N) store(to + i, Vec<T>{});
}

/// Strips [first, first + Together) of whole columns: M adjacent elements of each row to each.
template <class T, int M, index Together>
inline void pack_whole_strips(Rows<const T> rows, index count, index first, T* to, index stride) {
  for (index k = 0; k < count; ++k, to += M) {
    const T* const from = rows.at(k) + first * M;
#pragma GCC unroll 8
    for (index i = 0; i < Together; ++i) {
      __builtin_memcpy(to + i * stride, from + i * M, M * sizeof(T));
    }
  }
}

/// The strips `strips` of M columns each, the first to `to`, the next ones `stride` apart. Past
/// `width`, the end of a row, stands a column of ones (its sum is the bias gradient), then zeros.
template <class T, int M>
inline void pack_strips(Rows<const T> rows, index count, Span strips, index width, T* to,
                        index stride) {
  constexpr index together = 8;  // whole lines of a row are read, and no more streams written
  const index whole = smaller(width / M, strips.end);
  index strip = strips.begin;
  for (; strip + together <= whole; strip += together, to += together * stride) {
    pack_whole_strips<T, M, together>(rows, count, strip, to, stride);
  }
  for (; strip < whole; ++strip, to += stride) {
    pack_whole_strips<T, M, 1>(rows, count, strip, to, stride);
  }
  for (; strip < strips.end; ++strip, to += stride) {
    const index column = strip * M;
    for (index k = 0; k < count; ++k) {
      for (index m = 0; m < M; ++m) {
        const index at = column + m;
        to[k * M + m] = at < width ? rows.at(k)[at] : T(at == width ? 1 : 0);
      }
    }
  }
}

}  // namespace
}  // namespace rnnfast
