// The matrix unit of x86 processors (AMX), whose registers are matrices of up to 16 rows of 64
// bytes:
//
//   C[rows, 16] += A[rows, 16 pairs] B[16 pairs, 16]       pairs of bfloat16, sums in float32
//
// An instruction sums the first of all pairs in one chain of fma begun at zero, the second in
// another, adds the two, and adds that to C; subnormal numbers are zero. (vdpbf16ps has one chain
// from C on: other bits.) A row of C comes from its row of A alone, however many there are.
//
// Of the eight registers four hold C, the vectors of a tile. Every register has a shape that an
// instruction of 60 ns sets, and all registers to zero; so they stay as they are from tile to tile,
// and there are two for an A and a B of fewer pairs, where a run of k ends:
//
//   0 1 2 3   C[rows, 16]      4   A[rows, 16 pairs]     5   B[16 pairs, 16]
//                              6   A[rows, tail]         7   B[tail, 16]
#pragma once

#include "base/cpu.hpp"
#include "simd/bfloat16.hpp"

namespace rnnfast {
namespace {

constexpr int matrix_rows = 16;
constexpr index matrix_pairs = 16;

#if defined(RNNFAST_MATRIX_UNIT)

/// What an instruction reads it as.
struct alignas(64) MatrixShapes {
  std::uint8_t palette = 1;
  std::uint8_t first_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  MatrixShapes(int rows_of_c, int tail) {
    for (int i = 0; i < 4; ++i) set(i, rows_of_c, 16);
    set(4, rows_of_c, 16);
    set(5, 16, 16);
    if (tail == 0) return;
    set(6, rows_of_c, tail);
    set(7, tail, 16);
  }

 private:
  void set(int number, int of_rows, int pairs) {
    rows[number] = static_cast<std::uint8_t>(of_rows);
    row_bytes[number] = static_cast<std::uint16_t>(4 * pairs);
  }
};

/// Shapes for tiles of so many rows, with runs that end in so many pairs.
inline void shape_matrices(int rows, int tail) {
  const int shape = rows * matrix_rows + tail;
  if (matrix_shape == shape || (tail == 0 && matrix_shape / matrix_rows == rows)) return;
  const MatrixShapes shapes(rows, tail);
  __asm__ volatile("ldtilecfg %0" : : "m"(shapes));
  matrix_shape = shape;
}

// Registers are part of an instruction's name, and the compiler does not see what memory it reads
// or writes. Strides are bytes from one row to the next.

/// Before and after the following: what was stored is in memory, and what is loaded comes from
/// there.
inline void memory_is_seen() { __asm__ volatile("" : : : "memory"); }

template <int Vectors>
inline void clear_matrices() {
  _tile_zero(0);
  if constexpr (Vectors > 1) _tile_zero(1);
  if constexpr (Vectors > 2) _tile_zero(2);
  if constexpr (Vectors > 3) _tile_zero(3);
}

template <int Vectors>
inline void load_matrices(const float* c, index stride) {
  _tile_loadd(0, c, stride);
  if constexpr (Vectors > 1) _tile_loadd(1, c + 16, stride);
  if constexpr (Vectors > 2) _tile_loadd(2, c + 32, stride);
  if constexpr (Vectors > 3) _tile_loadd(3, c + 48, stride);
}

template <int Vectors>
inline void store_matrices(float* c, index stride) {
  _tile_stored(0, c, stride);
  if constexpr (Vectors > 1) _tile_stored(1, c + 16, stride);
  if constexpr (Vectors > 2) _tile_stored(2, c + 32, stride);
  if constexpr (Vectors > 3) _tile_stored(3, c + 48, stride);
}

/// C += A B, of 16 pairs.
template <int Vectors>
inline void add_matrices(const BfloatOperand* a, index a_stride, const BfloatPair* b,
                         index b_stride) {
  _tile_loadd(4, a, a_stride);
  _tile_loadd(5, b, b_stride);
  _tile_dpbf16ps(0, 4, 5);
  if constexpr (Vectors > 1) {
    _tile_loadd(5, b + 16, b_stride);
    _tile_dpbf16ps(1, 4, 5);
  }
  if constexpr (Vectors > 2) {
    _tile_loadd(5, b + 32, b_stride);
    _tile_dpbf16ps(2, 4, 5);
  }
  if constexpr (Vectors > 3) {
    _tile_loadd(5, b + 48, b_stride);
    _tile_dpbf16ps(3, 4, 5);
  }
}

/// C += A B, of the tail's pairs.
template <int Vectors>
inline void add_tails(const BfloatOperand* a, index a_stride, const BfloatPair* b, index b_stride) {
  _tile_loadd(6, a, a_stride);
  _tile_loadd(7, b, b_stride);
  _tile_dpbf16ps(0, 6, 7);
  if constexpr (Vectors > 1) {
    _tile_loadd(7, b + 16, b_stride);
    _tile_dpbf16ps(1, 6, 7);
  }
  if constexpr (Vectors > 2) {
    _tile_loadd(7, b + 32, b_stride);
    _tile_dpbf16ps(2, 6, 7);
  }
  if constexpr (Vectors > 3) {
    _tile_loadd(7, b + 48, b_stride);
    _tile_dpbf16ps(3, 6, 7);
  }
}

/// `count` times four independent multiplications of zeros, to be timed; their sum.
inline float multiply_matrices(index count) {
  shape_matrices(matrix_rows, 0);
  clear_matrices<4>();
  _tile_zero(4);
  _tile_zero(5);
  for (index i = 0; i < count; ++i) {
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 5);
    _tile_dpbf16ps(2, 4, 5);
    _tile_dpbf16ps(3, 4, 5);
  }
  return 0;
}

#endif

}  // namespace
}  // namespace rnnfast
