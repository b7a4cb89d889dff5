// The blocked loops around the tiles: which rows and columns a tile gets, and in what order.
//
//   multiply      C = start + A B for all rows over one B in columns, with an epilogue per row
//                 tile that meets the finished tile in L1
#pragma once

#include "gemm/columns.hpp"
#include "gemm/matrix_tile.hpp"

namespace rnnfast {
namespace {

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
/// more than one run takes five divisions.
struct DenseRuns {
  index length;  // K
  index run;
  index runs = 1;
  index runs_per_segment = 1;
  index segments = 1;
  /// Runs of at most `longest` elements, of as many as are multiplied at once; segments of at most
  /// `block`.
  DenseRuns(index length, index longest, index at_once, index block) : length(length), run(length) {
    if (length <= longest) return;
    run = round_up(ceil_div(length, ceil_div(length, longest)), at_once);
    runs = ceil_div(length, run);
    runs_per_segment = block / run;
    segments = ceil_div(runs, runs_per_segment);
  }
  /// Of the runs `first` .. `first + count - 1`.
  Runs some(index first, index count) const {
    return {count, run, smaller(run, length - (first + count - 1) * run), run};
  }
  Runs all() const { return some(0, runs); }
};

/// Of an operand of `k` numbers.
template <class F>
inline DenseRuns dense_runs(index k) {
  return {elements_of<F>(k), smaller(longest_sum, k_block<F>), elements_at_once<F>, k_block<F>};
}

/// A of a stretch of k, which begins at `first`.
template <class F>
struct Segment {
  Rows<const typename F::A> a;
  Runs runs;
  index first;
};

/// A plain operand: each row K adjacent elements.
template <class F>
struct Dense {
  Rows<const typename F::A> rows;
  const DenseRuns& k;

  index segments() const { return k.segments; }
  Segment<F> segment(index i) const {
    const index first = i * k.runs_per_segment;
    const index at = first * k.run;
    return {{rows.base + at, rows.offset, rows.stride},
            k.some(first, smaller(k.runs_per_segment, k.runs - first)),
            at};
  }
};

struct NoEpilogue {
  void operator()(index, index) const {}
};

/// How tiles go across some adjacent vectors of a B in columns.
struct Across {
  index vectors;  // in all
  index widest;   // of a tile
  index next;     // elements of B from a widest tile to the next
  index first;    // vectors of the first tile, which may begin in the middle of a column,
  index second;   // and elements of B from it to the next
};

template <class F>
inline Across tiles_across(const Columns<F>& b, Span vectors, index rows) {
  const index columns = widest_tile(rows) / tile_vectors;
  const index widest = columns * b.width;
  const index next = columns * b.column();
  const index before = vectors.begin < b.width ? vectors.begin : vectors.begin % b.width;
  if (before == 0) return {vectors.size(), widest, next, smaller(vectors.size(), widest), next};
  return {vectors.size(), widest, next, smaller(vectors.size(), b.width - before),
          b.column() - before * b.N};
}

/// The tiles of `rows` rows, of which `call` is the first. (The call is changed field by field, and
/// back: a struct copied just after it was written keeps the processor waiting.)
template <class F>
inline void row_of_tiles(TileCall<F>& call, index rows, const Across& across) {
  using T = typename F::Sum;
  const typename F::B* const b = call.b;
  const T* const start = call.start.base;
  T* const c = call.c.base;
  index width = across.first;
  index step = across.second;
  for (index left = across.vectors; left > 0;
       width = smaller(left, across.widest), step = across.next) {
    tile_for<F>(rows, width)(call);
    left -= width;
    call.b += step;
    call.start.base += width * lanes<T>;
    call.c.base += width * lanes<T>;
  }
  call.b = b;
  call.start.base = start;
  call.c.base = c;
}

/// C[count rows, vectors] = start + A B, over some adjacent vectors of B, of which `start` and `c`
/// have the first. `epilogue(row, rows)` follows each finished row of tiles.
template <class F, class Operand, class Epilogue = NoEpilogue>
[[gnu::always_inline]] inline void multiply(const Operand& a, const Columns<F>& b, Span vectors,
                                            Rows<const typename F::Sum> start,
                                            Rows<typename F::Sum> c, index count,
                                            Epilogue&& epilogue = {}) {
  using T = typename F::Sum;
  const Across across = tiles_across(b, vectors, count);
  const Pieces rows(count,
                    tallest_tile<F>(static_cast<int>(smaller(across.vectors, across.widest))));
  const index segments = a.segments();
  for (index i = 0; i < segments; ++i) {
    const Segment<F> segment = a.segment(i);
    TileCall<F> call = {
        segment.a,  segment.runs, b.at(vectors.begin) + segment.first * b.stride(),
        b.stride(), b.column(),   i > 0 ? Rows<const T>{c.base, c.offset, c.stride} : start,
        c};
    for (index piece = 0; piece < rows.pieces; ++piece) {
      const Span row = rows.at(piece);
      row_of_tiles<F>(call, row.size(), across);
      if (i == segments - 1) epilogue(row.begin, row.size());
      call.a.offset += row.size();
      call.start.offset += row.size();
      call.c.offset += row.size();
    }
  }
}

/// Columns of a strip for a panel of `vectors` vectors: the height of its tallest tile.
template <class F>
constexpr index strip_columns(index vectors) {
  return tallest_tile<F>(static_cast<int>(column_width(vectors)));
}

/// Elements of k of a strip of so many rows, and of the B that it meets.
template <class F>
constexpr index strip_elements(index rows) {
  return round_up(elements_of<F>(rows), elements_at_once<F>);
}

/// C[M columns, vectors] = start + strip^T B: one strip against one panel. A null `start` is zero.
template <class F>
inline void multiply_strip(const typename F::A* strip, index columns_in_strip, index length,
                           const typename F::B* b, index b_stride, index vectors,
                           const typename F::Sum* start, typename F::Sum* c) {
  using T = typename F::Sum;
  constexpr index N = lanes<T>;
  static constexpr T zeros[tile_vectors * N] = {};
  const index c_stride = vectors * N;
  const Pieces columns(vectors, tile_vectors);
  for (index column = 0; column < columns.pieces; ++column) {
    const Span vector = columns.at(column);
    const index at = vector.begin * N;
    strip_tile_for<F>(columns_in_strip,
                      vector.size())({strip, length, b + at, b_stride, start ? start + at : zeros,
                                      start ? c_stride : 0, c + at, c_stride});
  }
}

}  // namespace
}  // namespace rnnfast
