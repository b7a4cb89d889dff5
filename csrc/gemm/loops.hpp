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
/// two rows would run at the speed of two.
struct Pieces {
  index count;
  index pieces;
  Pieces(index count, index most) : count(count), pieces(ceil_div(count, most)) {}
  Span at(index piece) const { return share(count, piece, pieces); }
};

/// A stretch of k: where its A and its B start.
template <class T>
struct Segment {
  Rows<const T> a;
  Runs runs;
  const T* b;
};

/// A plain operand: each row K adjacent elements, summed in runs of one length but for the last.
template <class T>
struct Dense {
  Rows<const T> rows;
  index length;  // K

  index run() const { return ceil_div(length, ceil_div(length, longest_sum)); }
  index runs_per_segment() const { return k_block / run(); }
  index runs() const { return ceil_div(length, run()); }
  index last_run() const { return length - (runs() - 1) * run(); }
  index segments() const { return ceil_div(runs(), runs_per_segment()); }
  Segment<T> segment(index i, const T* b, index b_stride) const {
    const index first = i * runs_per_segment();
    const index count = smaller(runs_per_segment(), runs() - first);
    const index k = first * run();
    return {{rows.base + k, rows.offset, rows.stride},
            {count, run(), smaller(run(), length - k - (count - 1) * run()), run()},
            b + k * b_stride};
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
  const Pieces columns(vectors, tile_vectors);
  const Pieces rows(count, tile_rows(static_cast<int>(columns.at(columns.pieces - 1).size())));
  const index segments = a.segments();
  for (index i = 0; i < segments; ++i) {
    const Segment<T> segment = a.segment(i, b, b_stride);
    for (index piece = 0; piece < rows.pieces; ++piece) {
      const Span row = rows.at(piece);
      for (index column = 0; column < columns.pieces; ++column) {
        const Span vector = columns.at(column);
        TileCall<T> call{{segment.a.base, segment.a.offset + row.begin, segment.a.stride},
                         segment.runs,
                         segment.b + vector.begin * N,
                         b_stride,
                         {start.base + vector.begin * N, start.offset + row.begin, start.stride},
                         {c.base + vector.begin * N, c.offset + row.begin, c.stride}};
        if (i > 0) call.start = {call.c.base, call.c.offset, call.c.stride};
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

/// C[M columns, vectors] += strip^T B: one strip against one panel.
template <class T>
inline void accumulate_strip(const T* strip, index columns_in_strip, index length, const T* b,
                             index b_stride, index vectors, T* c) {
  constexpr index N = lanes<T>;
  const Pieces columns(vectors, tile_vectors);
  for (index column = 0; column < columns.pieces; ++column) {
    const Span vector = columns.at(column);
    strip_tile_for<T>(columns_in_strip, vector.size())(
        {strip, length, b + vector.begin * N, b_stride, c + vector.begin * N, vectors * N});
  }
}

}  // namespace
}  // namespace rnnfast
