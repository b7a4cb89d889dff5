// B as the tiles read it: cut into columns as wide as a tile, each stored from end to end,
//
//   [column][K][width][N]
//
// so that a tile reads one stream, and what L1 holds of it serves the next rows. (Side by side,
// [K][vectors][N], a narrow tile would pick one line of several, which all fall into few of the
// sets of L1.) What the last column lacks of its width lies unused.
#pragma once

#include "gemm/tile.hpp"

namespace rnnfast {
namespace {

/// Vectors of each column of a B of so many: no more than a tile's, as even as can be. (Mostly
/// without dividing.)
constexpr index column_width(index vectors) {
  if (vectors % tile_vectors == 0) return tile_vectors;
  if (vectors < tile_vectors) return vectors;
  return ceil_div(vectors, ceil_div(vectors, tile_vectors));
}

/// To be read, or packed.
template <class F, class Element = const typename F::B>
struct Columns {
  static constexpr index N = lanes<typename F::Sum>;

  Element* data;
  index length;  // K
  index width;

  Columns(Element* data, index length, index vectors)
      : data(data), length(length), width(column_width(vectors)) {}

  /// Elements that a B of so many vectors takes.
  static constexpr index size(index length, index vectors) {
    return round_up(vectors, column_width(vectors)) * N * length;
  }

  index stride() const { return width * N; }          // from one k to the next
  index column() const { return length * stride(); }  // from one column to the next
  /// Where a vector begins.
  Element* at(index vector) const {
    if (vector < width) return data + vector * N;
    return data + vector / width * column() + vector % width * N;
  }
};

}  // namespace
}  // namespace rnnfast
