// The blocked loops around the tiles: which rows and columns a tile gets, and in what order.
//
//   multiply      C = start + A B for all rows over one panel of B, with an epilogue per row tile
//                 that meets the finished tile in L1
//
// A block of at most `k_block` rows of B stays in L2 while all row tiles pass over it.
#pragma once

#include "gemm/tile.hpp"

namespace rnnfast {
namespace {

constexpr index k_block = 1024;

/// `count` things in the fewest pieces of at most `most`, all within one of the same size: six and
/// two rows would run at the speed of two. The first is a largest one.
struct Pieces {
  index pieces;
  index smallest;
  index larger_ones;  // first, one longer than the others
  Pieces(index count, index most) : pieces(smaller(count, 1)), smallest(count), larger_ones(0) {
    if (count <= most) return;  // mostly, and without dividing
    pieces = ceil_div(count, most);
    smallest = count / pieces;
    larger_ones = count - pieces * smallest;
  }
  Span at(index piece) const {
    const index begin = piece * smallest + smaller(piece, larger_ones);
    return {begin, begin + smallest + (piece < larger_ones)};
  }
};

/// The k of a plain operand, in runs of one length but for the last. Made once for many products:
/// it takes five divisions.
struct DenseRuns {
  index length;  // K
  index run;
  index runs;
  index runs_per_segment;
  index segments;
  explicit DenseRuns(index length)
      : length(length),
        run(ceil_div(length, ceil_div(length, longest_sum))),
        runs(ceil_div(length, run)),
        runs_per_segment(k_block / run),
        segments(ceil_div(runs, runs_per_segment)) {}
  /// Of the runs `first` .. `first + count - 1`.
  Runs some(index first, index count) const {
    return {count, run, smaller(run, length - (first + count - 1) * run), run};
  }
  Runs all() const { return some(0, runs); }
};

/// A plain operand: each row K adjacent elements.
template <class T>
struct Dense {
  Rows<const T> rows;
  const DenseRuns& k;

  index segments() const { return k.segments; }
  Segment<T> segment(index i, const T* b, index b_stride) const {
    const index first = i * k.runs_per_segment;
    const index at = first * k.run;
    return {{rows.base + at, rows.offset, rows.stride},
            k.some(first, smaller(k.runs_per_segment, k.runs - first)),
            b + at * b_stride,
            b_stride};
  }
};

struct NoEpilogue {
  void operator()(index, index) const {}
};

/// Over `count` rows and `vectors` adjacent vectors of a panel of B, [K][vectors][N].
/// `epilogue(row, rows)` follows each finished row tile.
template <class T, class Operand, class Epilogue = NoEpilogue>
inline void multiply(const Operand& a, const T* b, index b_stride, index vectors,
                     Rows<const T> start, Rows<T> c, index count, Epilogue&& epilogue = {}) {
  constexpr index N = lanes<T>;
  const Pieces columns(vectors, widest_tile(count));
  const Pieces rows(count, tile_rows(static_cast<int>(columns.at(0).size())));
  const index segments = a.segments();
  for (index i = 0; i < segments; ++i) {
    // Made once, and then changed field by field: whole structs copied just after they were written
    // keep the processor waiting.
    TileCall<T> call = {a.segment(i, b, b_stride), start, c};
    if (i > 0) call.start = {c.base, c.offset, c.stride};
    const index* const a_offset = call.in.a.offset;
    const index* const start_offset = call.start.offset;
    const T* const start_base = call.start.base;
    const T* const b_base = call.in.b;
    for (index piece = 0; piece < rows.pieces; ++piece) {
      const Span row = rows.at(piece);
      call.in.a.offset = a_offset + row.begin;
      call.start.offset = start_offset + row.begin;
      call.c.offset = c.offset + row.begin;
      for (index column = 0; column < columns.pieces; ++column) {
        const Span vector = columns.at(column);
        call.in.b = b_base + vector.begin * N;
        call.start.base = start_base + vector.begin * N;
        call.c.base = c.base + vector.begin * N;
        tile_for<T>(row.size(), vector.size())(call);
      }
      if (i == segments - 1) epilogue(row.begin, row.size());
    }
  }
}

/// Columns of a strip for a panel of `vectors` vectors: the height of its tallest tile.
constexpr index strip_columns(index vectors) {
  return tile_rows(static_cast<int>(ceil_div(vectors, ceil_div(vectors, tile_vectors))));
}

/// C[M columns, vectors] = start + strip^T B: one strip against one panel. A null `start` is zero.
template <class T>
inline void multiply_strip(const T* strip, index columns_in_strip, index length, const T* b,
                           index b_stride, index vectors, const T* start, T* c) {
  constexpr index N = lanes<T>;
  static constexpr T zeros[tile_vectors * N] = {};
  const index c_stride = vectors * N;
  const Pieces columns(vectors, tile_vectors);
  for (index column = 0; column < columns.pieces; ++column) {
    const Span vector = columns.at(column);
    const index at = vector.begin * N;
    strip_tile_for<T>(columns_in_strip,
                      vector.size())({strip, length, b + at, b_stride, start ? start + at : zeros,
                                      start ? c_stride : 0, c + at, c_stride});
  }
}

}  // namespace
}  // namespace rnnfast
