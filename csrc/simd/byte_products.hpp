// Products of bytes, four to each lane of 32 bits:
//
//   add_products(sum, a, b)[lane] = sum[lane] + sum over j < 4 of a[lane][j] b[lane][j]
//
// with a from 0 to 255 and b from -128 to 127. Sums are exact in any order, so all instruction sets
// give the same. One instruction does it where there is VNNI. Elsewhere bytes are widened to 16
// bits first, the even ones and the odd ones apart: the instruction that multiplies bytes as they
// are (pmaddubsw) adds two products in 16 bits, where they saturate.
#pragma once

#include "simd/vec.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace rnnfast {
namespace {

/// Unsigned bytes, N to a vector, one for each lane.
typedef std::uint8_t LaneBytes __attribute__((vector_size(vector_bytes / 4)));

#if defined(__AVX512VNNI__) && defined(__AVX512F__)

/// Registers that a vector of bytes takes when it is multiplied, and multiplications.
constexpr int registers_a_byte_vector = 1;

using UnsignedBytes = VecI32;
using SignedBytes = VecI32;
inline UnsignedBytes unsigned_bytes(VecI32 bytes) { return bytes; }
inline SignedBytes signed_bytes(VecI32 bytes) { return bytes; }
inline VecI32 add_products(VecI32 sum, UnsignedBytes a, SignedBytes b) {
  return (VecI32)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
}

#else

constexpr int registers_a_byte_vector = 2;

typedef std::int16_t VecI16 __attribute__((vector_size(vector_bytes)));

/// Bytes 0 and 2 of each lane, and 1 and 3, in 16 bits each.
struct WideBytes {
  VecI16 even;
  VecI16 odd;
};
using UnsignedBytes = WideBytes;
using SignedBytes = WideBytes;

inline UnsignedBytes unsigned_bytes(VecI32 bytes) {
  const VecI32 low = VecI32{} + 0x00ff00ff;
  return {(VecI16)(bytes & low), (VecI16)((bytes >> 8) & low)};
}
inline SignedBytes signed_bytes(VecI32 bytes) {
  const VecI16 pairs = (VecI16)bytes;
  return {(VecI16)((VecI16)(bytes << 8) >> 8), (VecI16)(pairs >> 8)};
}

/// a[2 lane] b[2 lane] + a[2 lane + 1] b[2 lane + 1]
inline VecI32 pair_products(VecI16 a, VecI16 b) {
#if defined(__AVX512BW__)
  return (VecI32)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (VecI32)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (VecI32)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
  // The lower halves of the lanes and the upper ones.
  const VecI32 low = ((VecI32)a << 16 >> 16) * ((VecI32)b << 16 >> 16);
  return low + ((VecI32)a >> 16) * ((VecI32)b >> 16);
#endif
}

inline VecI32 add_products(VecI32 sum, UnsignedBytes a, SignedBytes b) {
  return sum + pair_products(a.even, b.even) + pair_products(a.odd, b.odd);
}

#endif

/// The same bits in every lane.
inline VecI32 broadcast_bits(std::uint32_t bits) {
  return VecI32{} + static_cast<std::int32_t>(bits);
}

inline VecI32 load_integers(const std::int32_t* from) {
  VecI32 v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

/// The nearest float of each.
inline VecF to_float(VecI32 v) { return __builtin_convertvector(v, VecF); }

}  // namespace
}  // namespace rnnfast
