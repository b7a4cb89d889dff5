// The register tiles of bytes, quantized as gemm/quantize.hpp says:
//
//   byte_tile<M, NV>    C[M rows, NV vectors] = start + s_row s_column sum over k of q_a q_b
//                       with q_a = u_a - 128, so that the sum is
//                       sum of u_a q_b, which begins at  offset = -128 sum of q_b
//
// An element of A or B is a quad, four adjacent k. The first two elements of a column of B are not
// quads but its offsets and its scales, [column][2 + K / 4][width][N], so that a tile reads one
// stream.
//
// Sums are whole numbers, exact in any order, up to `longest_byte_sum` k; then come three
// roundings: of the sum, of the product of the scales, and of the fma.
#pragma once

#include "gemm/tile.hpp"
#include "simd/byte_products.hpp"

namespace rnnfast {
namespace {

/// Sums of more k might not fit: 255 * 128 * 2^16 does.
constexpr index longest_byte_sum = 1 << 16;

/// The product format (gemm/format.hpp) whose products these are.
struct W8 {
  using A = std::uint32_t;  // a quad of u
  using B = std::int32_t;   // a quad of q
  using Sum = float;        // once scaled
  static constexpr index group = 4;
  static constexpr int passes = registers_a_byte_vector;
  static constexpr index head = 2;  // elements of a column before the first quad
};

/// Rows of the tallest tile that stays in registers: sums, the vectors of B, one of A and one of
/// what is on its way.
constexpr int byte_tile_rows(int vectors) {
  constexpr int left = vector_registers - registers_a_byte_vector - 1;
  const int most = (left - registers_a_byte_vector * vectors) / vectors;
  return most < largest_tile_rows ? most : largest_tile_rows;
}

/// k are taken so many at once that there are sums enough to keep the multipliers busy.
constexpr int quads_at_once(int rows, int vectors) {
  const int most = byte_tile_rows(vectors) / rows;
  return most >= 4 ? 4 : most >= 2 ? 2 : 1;
}

struct ByteTileCall {
  Rows<const W8::A> a;
  const float* a_scales;  // one a row
  index quads;
  const W8::B* b;
  index b_stride;           // from one element to the next
  Rows<const float> start;  // stride 0: the same for all rows
  Rows<float> c;
};

/// sum += a[M] b[NV vectors]: one quad.
template <int M, int NV>
[[gnu::always_inline]] inline void add_quads(const W8::A* const (&row)[M], index quad,
                                             const W8::B* b, VecI32 (&sum)[M][NV]) {
  SignedBytes column[NV];
#pragma GCC unroll 8
  for (int v = 0; v < NV; ++v) column[v] = signed_bytes(load_integers(b + v * lanes<float>));
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    const UnsignedBytes a = unsigned_bytes(broadcast_bits(row[m][quad]));
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) sum[m][v] = add_products(sum[m][v], a, column[v]);
  }
}

template <int M, int NV>
[[gnu::noinline]] void byte_tile(const ByteTileCall& call) {
  constexpr index N = lanes<float>;
  constexpr int together = quads_at_once(M, NV);
  const W8::A* row[M];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) row[m] = call.a.at(m);
  const index b_stride = call.b_stride;
  const W8::B* b = call.b + W8::head * b_stride;
  VecI32 sum[together][M][NV] = {};
  index quad = 0;
  for (; quad + together <= call.quads; quad += together) {
#pragma GCC unroll 4
    for (int i = 0; i < together; ++i, b += b_stride) add_quads<M, NV>(row, quad + i, b, sum[i]);
  }
  for (; quad < call.quads; ++quad, b += b_stride) add_quads<M, NV>(row, quad, b, sum[0]);

  const W8::B* const offsets = call.b;
  const W8::B* const scales = call.b + b_stride;
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    const VecF row_scale = broadcast(call.a_scales[m]);
    const float* const start = call.start.at(m);
    float* const c = call.c.at(m);
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) {
      VecI32 total = load_integers(offsets + v * N);
#pragma GCC unroll 4
      for (int i = 0; i < together; ++i) total += sum[i][m][v];
      const VecF scale = row_scale * from_bits<VecF>(load_integers(scales + v * N));
      store(c + v * N, fma(to_float(total), scale, load(start + v * N)));
    }
  }
}

using ByteTile = void (*)(const ByteTileCall&);

template <int NV, int M>
constexpr ByteTile byte_tile_or_none = byte_tile < M <= byte_tile_rows(NV) ? M : 1,
                   NV > ;

template <int NV>
constexpr ByteTile byte_tiles_of[largest_tile_rows] = {
    byte_tile_or_none<NV, 1>, byte_tile_or_none<NV, 2>, byte_tile_or_none<NV, 3>,
    byte_tile_or_none<NV, 4>, byte_tile_or_none<NV, 5>, byte_tile_or_none<NV, 6>,
    byte_tile_or_none<NV, 7>, byte_tile_or_none<NV, 8>};

/// The tile of `rows` x `vectors`, at most byte_tile_rows(vectors) x tile_vectors.
inline ByteTile byte_tile_for(index rows, index vectors) {
  switch (vectors) {
    case 1:
      return byte_tiles_of<1>[rows - 1];
    case 2:
      return byte_tiles_of<2>[rows - 1];
    case 3:
      if constexpr (tile_vectors >= 3) return byte_tiles_of<3>[rows - 1];
      return nullptr;
    default:
      if constexpr (tile_vectors >= 4) return byte_tiles_of<4>[rows - 1];
      return nullptr;
  }
}

}  // namespace
}  // namespace rnnfast
