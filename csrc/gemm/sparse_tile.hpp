// Products with a sparse B, of which only some k are there. B is cut into columns of a line:
//
//   a line      64 bytes of adjacent units of one gate, at one k: 16 floats or 8 doubles, as many
//               vectors as that takes
//   a column    those of its lines that are not zero, one after the other, and the k of each
//
//   sparse_tile<M, NV>   C[M rows, NV vectors] = start + sum over the k kept of A[M, k] B[k, NV]
//
// Vectors of a line share the list of k, so that narrow ones have as many chains under way as wide
// ones. The order is that of the dense tiles (gemm/tile.hpp), run by run: with a finite A, what is
// left out would have added zeros, and the results are equal.
#pragma once

#include <cstdint>

#include "gemm/loops.hpp"

namespace rnnfast {
namespace {

constexpr index line_bytes = 64;
// Lists of k lie between the lines of columns, so that lines must be asked for ahead: a tenth of
// the time where they come from L2.
constexpr index lines_ahead = 48;
template <class T>
constexpr index line_size = line_bytes / static_cast<index>(sizeof(T));  // in units
template <class T>
constexpr int line_vectors = static_cast<int>(line_size<T> / lanes<T>);

/// Rows of the tallest tile of whole lines that stays in registers.
template <class T>
constexpr int sparse_tile_rows = line_vectors<T> <= tile_vectors ? tile_rows(line_vectors<T>)
                                 : line_vectors<T> <= 4          ? 2
                                                                 : 1;

template <class T>
struct SparseTileCall {
  Rows<const T> a;
  index runs;
  const std::uint32_t* ends;  // [runs] how many lines there are up to the end of each
  const std::uint32_t* k;     // of each line
  const T* b;                 // [lines][line_size]
  Rows<const T> start;
  Rows<T> c;
};

template <class T, int M, int NV>
[[gnu::noinline]] void sparse_tile(const SparseTileCall<T>& call) {
  constexpr index N = lanes<T>;
  const T* row[M];
  const T* from[M];
  T* c[M];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    row[m] = call.a.at(m);
    from[m] = call.start.at(m);
    c[m] = call.c.at(m);
  }
  const std::uint32_t* k = call.k;
  const std::uint32_t* end = call.ends;
  const T* b = call.b;
  for (index run = call.runs; run > 0; --run, ++end) {
    Vec<T> sum[M][NV] = {};
    for (const std::uint32_t* const last = call.k + *end; k != last; ++k, b += line_size<T>) {
      __builtin_prefetch(b + lines_ahead * line_size<T>);
      add_products<Plain<T>>(row, *k, b, tile_vectors * N, sum);
    }
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) {
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) store(c[m] + v * N, load(from[m] + v * N) + sum[m][v]);
      from[m] = c[m];
    }
  }
}

template <class T>
using SparseTile = void (*)(const SparseTileCall<T>&);

template <class T, int NV>
inline SparseTile<T> sparse_tile_of(index rows) {
  constexpr int most = sparse_tile_rows<T>;
  constexpr auto up_to = [](int m) { return smaller(m, most); };
  constexpr SparseTile<T> tiles[] = {sparse_tile<T, up_to(1), NV>, sparse_tile<T, up_to(2), NV>,
                                     sparse_tile<T, up_to(3), NV>, sparse_tile<T, up_to(4), NV>,
                                     sparse_tile<T, up_to(5), NV>, sparse_tile<T, up_to(6), NV>,
                                     sparse_tile<T, up_to(7), NV>, sparse_tile<T, up_to(8), NV>};
  return tiles[rows - 1];
}

/// The tile of at most sparse_tile_rows rows by a line, or fewer vectors of it at the end of units.
template <class T, int NV = line_vectors<T>>
inline SparseTile<T> sparse_tile_for(index rows, index vectors) {
  if constexpr (NV > 1) {
    if (vectors < NV) return sparse_tile_for<T, NV - 1>(rows, vectors);
  }
  return sparse_tile_of<T, NV>(rows);
}

/// B of parts of so many vectors each, which end in the midst of a line where units do.
template <class T>
struct SparseColumns {
  const std::uint32_t* heads;  // [column][1 + runs]: its place in `kept`, in lines; its ends
  const char* kept;            // [column] its lines, then their k up to the end of a line
  index runs;
  index parts;
  index vectors;

  /// Lines that a column of so many takes, with their k.
  static constexpr index size(index lines) {
    return lines + ceil_div(lines * static_cast<index>(sizeof(std::uint32_t)), line_bytes);
  }
};

/// C[count rows, all vectors] = start + A B. `epilogue(row, rows)` follows each finished row of
/// tiles.
template <class F, class Epilogue>
[[gnu::always_inline]] inline void multiply(const Dense<F>& a,
                                            const SparseColumns<typename F::Sum>& b, Span,
                                            Rows<const typename F::Sum> start,
                                            Rows<typename F::Sum> c, index count,
                                            Epilogue&& epilogue) {
  using T = typename F::Sum;
  const Pieces rows(count, sparse_tile_rows<T>);
  SparseTileCall<T> call = {a.rows, b.runs, nullptr, nullptr, nullptr, start, c};
  for (index piece = 0; piece < rows.pieces; ++piece) {
    const Span row = rows.at(piece);
    const std::uint32_t* head = b.heads;
    for (index part = 0; part < b.parts; ++part) {
      for (index vector = 0; vector < b.vectors; vector += line_vectors<T>, head += 1 + b.runs) {
        const char* const column = b.kept + *head * line_bytes;
        const index vectors = smaller(line_vectors<T>, b.vectors - vector);
        call.ends = head + 1;
        call.b = reinterpret_cast<const T*>(column);
        call.k = reinterpret_cast<const std::uint32_t*>(column + head[b.runs] * line_bytes);
        sparse_tile_for<T>(row.size(), vectors)(call);
        call.start.base += vectors * lanes<T>;
        call.c.base += vectors * lanes<T>;
      }
    }
    epilogue(row.begin, row.size());
    call.start.base = start.base;
    call.c.base = c.base;
    call.a.offset += row.size();
    call.start.offset += row.size();
    call.c.offset += row.size();
  }
}

}  // namespace
}  // namespace rnnfast
