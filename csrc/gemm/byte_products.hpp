// Products of bytes: packing, and the loops around the tiles.
//
//   pack_quantized_lanes    N rows of W as a vector of a column: offsets, scales, quads
//   multiply                C = start + A B, scaled, for all rows over one B in columns
#pragma once

#include "gemm/byte_tile.hpp"
#include "gemm/loops.hpp"
#include "gemm/quantize.hpp"

namespace rnnfast {
namespace {

/// A row of W, `length` numbers, as a lane of a column's vector.
inline void pack_quantized_lane(const float* w, index length, RowScale row, W8::B* to,
                                index to_stride) {
  constexpr index N = lanes<float>;
  constexpr index quads = N / W8::group;
  W8::B* place = to + W8::head * to_stride;
  std::int32_t sum = 0;
  for (index k = 0; k < length; k += N) {
    const index valid = smaller(N, length - k);
    const VecF x = valid == N ? load(w + k) : load_first(w + k, valid);
    const LaneBytes u = round_to_bytes(x * row.inverse);
    for (int lane = 0; lane < static_cast<int>(N); ++lane) sum += u[lane] - zero_byte;
    const LaneBytes q = u ^ zero_byte;  // u - 128, in two's complement
    W8::B quad[quads];
    __builtin_memcpy(quad, &q, sizeof q);
    for (index i = 0; i < ceil_div(valid, W8::group); ++i, place += to_stride) *place = quad[i];
  }
  to[0] = -zero_byte * sum;
  __builtin_memcpy(to + to_stride, &row.scale, sizeof row.scale);
}

/// `rows` <= N rows of W, `length` long; missing lanes become zero. `scales` are those of the rows
/// where they are whole numbers of them already; null: each has its own.
inline void pack_quantized_lanes(const float* w, index rows, index length, const float* scales,
                                 W8::B* to, index to_stride) {
  for (index lane = 0; lane < lanes<float>; ++lane, ++to, w += length) {
    if (lane >= rows) {
      for (index i = 0; i < column_length<W8>(length); ++i) to[i * to_stride] = 0;
    } else if (scales) {
      pack_quantized_lane(w, length, {scales[lane], 1 / scales[lane]}, to, to_stride);
    } else {
      pack_quantized_lane(w, length, row_scale(largest_size(w, length)), to, to_stride);
    }
  }
}

/// Rows of A, and the scale of each, in the same order.
struct QuantizedRows {
  Rows<const W8::A> rows;
  const float* scales;
};

template <>
struct Dense<W8> {
  QuantizedRows rows;
  const DenseRuns& k;
};

/// The tiles of `rows` rows, of which `call` is the first, over all vectors of B.
inline void row_of_byte_tiles(ByteTileCall call, index rows, const Columns<W8>& b, index vectors) {
  for (index left = vectors; left > 0; left -= b.width) {
    byte_tile_for(rows, smaller(left, b.width))(call);
    call.b += b.column();
    call.start.base += b.width * b.N;
    call.c.base += b.width * b.N;
  }
}

/// C[count rows, vectors] = start + A B, over all vectors of B. `epilogue(row, rows)` follows each
/// finished row of tiles.
template <Quantized F, class Epilogue = NoEpilogue>
[[gnu::always_inline]] inline void multiply(const Dense<F>& a, const Columns<F>& b, Span vectors,
                                            Rows<const float> start, Rows<float> c, index count,
                                            Epilogue&& epilogue = {}) {
  const Pieces rows(count, byte_tile_rows(static_cast<int>(b.width)));
  ByteTileCall call = {a.rows.rows, a.rows.scales, a.k.length, b.data, b.stride(), start, c};
  for (index piece = 0; piece < rows.pieces; ++piece) {
    const Span row = rows.at(piece);
    row_of_byte_tiles(call, row.size(), b, vectors.size());
    epilogue(row.begin, row.size());
    call.a.offset += row.size();
    call.a_scales += row.size();
    call.start.offset += row.size();
    call.c.offset += row.size();
  }
}

}  // namespace
}  // namespace rnnfast
