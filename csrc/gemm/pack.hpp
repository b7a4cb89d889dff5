// Packing: matrices copied into the order in which the tiles read them.
//
//   pack_lanes     N rows of W (lanes of one vector) side by side:  to[k][lane] = W[lane][k], as B
//                  of a format
//   unpack_lanes   the way back:                                    W[lane][k] = from[k][lane]
//   pack_row       one row of W, padded with zeros to whole vectors
//   pack_rows      the rows of one element of a format's B, likewise
//   pack_strips    M columns each of rows that lie anywhere, as A:  to[k][m] = rows[k][m]
//
// Lane packing goes through N x N transposes in registers: their loops are unrolled, because a
// block that is indexed by a variable stands in memory.
#pragma once

#include "gemm/matrix_tile.hpp"
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

/// Columns [first, end) of the rows of one element, and zeros up to `padded` elements of it; a null
/// row is zero.
template <class F, class Element>
inline void pack_rows(const typename F::Sum* const (&rows)[F::group], index first, index end,
                      index padded, Element* to) {
  using T = typename F::Sum;
  constexpr index N = lanes<T>;
  const auto write = [&](index at, auto&& read) {
    Vec<T> block[F::group];
    for (index k = 0; k < F::group; ++k) {
      block[k] = rows[k] ? read(rows[k] + first + at) : Vec<T>{};
    }
    F::write(to + at, block);
  };
  const index length = smaller(end - first, padded);
  index i = 0;
  for (; i + N <= length; i += N) write(i, [](const T* from) { return load(from); });
  if (i < length) {
    write(i, [&](const T* from) { return load_first(from, length - i); });
    i += N;
  }
  for (; i < padded; i += N) write(i, [](const T*) { return Vec<T>{}; });
}

/// `columns` of the rows of one element as elements of A, N at a time, the last of them beyond.
template <class F, index columns>
inline void pack_columns(const typename F::Sum* const (&rows)[F::group], typename F::A* to) {
  using T = typename F::Sum;
  constexpr index N = lanes<T>;
#pragma GCC unroll 16
  for (index i = 0; i < columns; i += N) {
    const index valid = smaller(columns - i, N);
    Vec<T> block[F::group] = {};
    for (index k = 0; k < F::group; ++k) {
      if (rows[k]) block[k] = valid == N ? load(rows[k] + i) : load_first(rows[k] + i, valid);
    }
    F::write(to + i, block);
  }
}

/// Strips [first, first + Together) of whole columns: M adjacent elements of each row to each.
template <class F, int M, index Together>
inline void pack_whole_strips(Rows<const typename F::Sum> rows, index count, index first,
                              typename F::A* to, index stride) {
  using A = typename F::A;
  constexpr std::size_t size = M * sizeof(A);
  if constexpr (F::group == 1) {
    for (index k = 0; k < count; ++k, to += M) {
      const A* const from = rows.at(k) + first * M;
#pragma GCC unroll 8
      for (index i = 0; i < Together; ++i) __builtin_memcpy(to + i * stride, from + i * M, size);
    }
  } else {
    // Some elements first, since what was just written by vectors is not read at once otherwise.
    constexpr index some = 8;
    constexpr index columns = round_up(M * Together, lanes<typename F::Sum>);
    A packed[some][columns];
    for (index k = 0; k < count; k += some * F::group) {
      const index elements = smaller(some, elements_of<F>(count - k));
      for (index e = 0; e < elements; ++e) {
        const typename F::Sum* of_element[F::group];
        for (index i = 0; i < F::group; ++i) {
          const index row = k + e * F::group + i;
          of_element[i] = row < count ? rows.at(row) + first * M : nullptr;
        }
        pack_columns<F, M * Together>(of_element, packed[e]);
      }
      for (index e = 0; e < elements; ++e, to += M) {
#pragma GCC unroll 8
        for (index i = 0; i < Together; ++i) {
          __builtin_memcpy(to + i * stride, packed[e] + i * M, size);
        }
      }
    }
  }
}

/// A strip that ends beyond `width`.
template <class F, int M>
inline void pack_last_strip(Rows<const typename F::Sum> rows, index count, index column,
                            index width, typename F::A* to) {
  using T = typename F::Sum;
  constexpr index N = lanes<T>;
  constexpr index padded = round_up(M, N);
  T ones[padded] = {};  // one of them
  ones[width - column] = 1;
  typename F::A elements[padded];
  for (index k = 0; k < count; k += F::group, to += M) {
    for (index i = 0; i < padded; i += N) {
      const index valid = within(width - column - i, {0, N});
      Vec<T> block[F::group] = {};
      for (index g = 0; g < F::group && k + g < count; ++g) {
        block[g] = load(ones + i);
        if (valid) block[g] = block[g] + load_first(rows.at(k + g) + column + i, valid);
      }
      F::write(elements + i, block);
    }
    __builtin_memcpy(to, elements, M * sizeof(typename F::A));
  }
}

/// The strips `strips` of M columns each, the first to `to`, the next ones `stride` apart. Past
/// `width`, the end of a row, stands a column of ones (its sum is the bias gradient), then zeros.
template <class F, int M>
  requires(!on_matrix_unit<F>)
inline void pack_strips(Rows<const typename F::Sum> rows, index count, Span strips, index width,
                        typename F::A* to, index stride) {
  constexpr index together = 8;  // whole lines of a row are read, and no more streams written
  const index whole = smaller(width / M, strips.end);
  index strip = strips.begin;
  for (; strip + together <= whole; strip += together, to += together * stride) {
    pack_whole_strips<F, M, together>(rows, count, strip, to, stride);
  }
  for (; strip + together / 2 <= whole; strip += together / 2, to += together / 2 * stride) {
    pack_whole_strips<F, M, together / 2>(rows, count, strip, to, stride);
  }
  for (; strip < whole; ++strip, to += stride) {
    pack_whole_strips<F, M, 1>(rows, count, strip, to, stride);
  }
  for (; strip < strips.end; ++strip, to += stride) {
    pack_last_strip<F, M>(rows, count, strip * M, width, to);
  }
}

#if defined(RNNFAST_MATRIX_UNIT)

/// A vector of columns of a row, of which `width` are left; then come a one and zeros.
inline VecF with_one_after(const float* row, index width) {
  constexpr index N = lanes<float>;
  if (width >= N) return load(row);
  if (width < 0) return VecF{};
  VecF row_and_one = load_first(row, width);
  row_and_one[width] = 1;
  return row_and_one;
}

/// The same for a matrix unit: [k / 16][M][k % 16], of pairs, k past the last row zero.
template <class F, int M>
  requires on_matrix_unit<F>
inline void pack_strips(Rows<const float> rows, index count, Span strips, index width,
                        typename F::A* to, index stride) {
  static_assert(M == matrix_rows && M == lanes<float>);
  for (index k = 0; k < count; k += F::group * matrix_pairs, to += M * matrix_pairs) {
    for (index strip = strips.begin; strip < strips.end; ++strip) {
      const auto columns = [&](index row) {
        return row < count ? with_one_after(rows.at(row) + strip * M, width - strip * M) : VecF{};
      };
      VecF block[M];
#pragma GCC unroll 16
      for (index pair = 0; pair < matrix_pairs; ++pair) {
        block[pair] = (VecF)pairs_of(columns(k + 2 * pair), columns(k + 2 * pair + 1));
      }
      transpose<float>(block);
      auto* const packed = reinterpret_cast<float*>(to + (strip - strips.begin) * stride);
#pragma GCC unroll 16
      for (int m = 0; m < M; ++m) store(packed + m * matrix_pairs, block[m]);
    }
  }
}

#endif

}  // namespace
}  // namespace rnnfast
