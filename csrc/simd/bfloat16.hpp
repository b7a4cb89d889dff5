// bfloat16, the upper half of a float32, in pairs of two adjacent k: the first in the lower half of
// 32 bits, the second in the upper.
//
//   sum = fma(a0, b0, fma(a1, b1, sum))
//
// This is what vdpbf16ps computes (a matrix unit does not: simd/matrix_unit.hpp), which begins with
// the upper half, rounds each sum to the nearest and takes subnormal numbers for zero, as kernels
// do (KernelMode): 22 million lanes of all exponents, next to overflow and underflow, agreed in all
// bits. Where it is missing both are widened, a pass for each k of a pair, and a pair of an operand
// lies there as two float32 that are rounded: one need not be widened again for each vector that it
// meets.
#pragma once

#include "simd/vec.hpp"

namespace rnnfast {
namespace {

struct BfloatPair {
  std::uint32_t bits;
};

constexpr std::uint32_t upper_half = 0xffff0000;

/// Rounded to the nearest, ties to even, in the upper halves; the lower ones are zero. NaN stays
/// one.
inline VecU32 rounded_to_bfloat16(VecF x) {
  const auto bits = (VecU32)x;
  const VecU32 nearest = bits + 0x7fff + ((bits >> 16) & 1);
  const VecU32 quiet = bits | 0x00400000;
  return (x == x ? nearest : quiet) & upper_half;
}

/// Of two vectors of k a vector of pairs.
inline VecU32 pairs_of(VecF first, VecF second) {
  return (rounded_to_bfloat16(first) >> 16) | rounded_to_bfloat16(second);
}
inline void store_pairs(BfloatPair* to, VecF first, VecF second) {
  const VecU32 pairs = pairs_of(first, second);
  __builtin_memcpy(to, &pairs, sizeof pairs);
}

inline VecU32 load_pairs(const BfloatPair* from) {
  VecU32 pairs;
  __builtin_memcpy(&pairs, from, sizeof pairs);
  return pairs;
}

#if defined(__AVX512BF16__)

constexpr int bfloat16_passes = 1;
using BfloatOperand = BfloatPair;

/// N adjacent k, as half as many pairs.
inline void store_operands(BfloatOperand* to, VecF k) {
  const __m256bh rounded = _mm512_cvtneps_pbh((__m512)k);
  __builtin_memcpy(to, &rounded, sizeof rounded);
}
/// Of N columns of two rows a vector of pairs.
inline void pair_rows(const BfloatOperand* first, const BfloatOperand* second, BfloatPair* to) {
  VecU16 rows[2];
  __builtin_memcpy(&rows[0], first, sizeof rows[0]);
  __builtin_memcpy(&rows[1], second, sizeof rows[1]);
  const VecU32 pairs =
      __builtin_convertvector(rows[0], VecU32) | __builtin_convertvector(rows[1], VecU32) << 16;
  __builtin_memcpy(to, &pairs, sizeof pairs);
}
inline VecU32 spread_operand(const BfloatOperand& a, int) { return a.bits - VecU32{}; }
inline VecU32 read_pairs(const BfloatPair* b, int) { return load_pairs(b); }
inline VecF add_pairs(VecU32 a, VecU32 b, VecF sum) {
  return (VecF)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}

#else

constexpr int bfloat16_passes = 2;
struct BfloatOperand {
  float k[2];
};

inline void store_operands(BfloatOperand* to, VecF k) {
  store(to->k, (VecF)rounded_to_bfloat16(k));
}
inline void store_pairs(BfloatOperand* to, VecF first, VecF second) {
  first = (VecF)rounded_to_bfloat16(first);
  second = (VecF)rounded_to_bfloat16(second);
  for (int lane = 0; lane < static_cast<int>(lanes<float>); ++lane) {
    to[lane].k[0] = first[lane];
    to[lane].k[1] = second[lane];
  }
}
inline void pair_rows(const BfloatOperand* first, const BfloatOperand* second, BfloatPair* to) {
  store_pairs(to, load(first->k), load(second->k));
}
inline VecF spread_operand(const BfloatOperand& a, int pass) { return broadcast(a.k[1 - pass]); }
inline VecF read_pairs(const BfloatPair* b, int pass) {
  const VecU32 pairs = load_pairs(b);
  return (VecF)(pass == 0 ? pairs & upper_half : pairs << 16);
}
inline VecF add_pairs(VecF a, VecF b, VecF sum) { return fma(a, b, sum); }

#endif

}  // namespace
}  // namespace rnnfast
