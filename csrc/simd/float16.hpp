// float16 as storage: rounded to the nearest when it is stored, ties to even, and widened when it
// is read, subnormal numbers of float16 included. Beyond 65504 it is infinite.
#pragma once

#include "simd/vec.hpp"

namespace rnnfast {
namespace {

struct Half {
  std::uint16_t bits;
};

#if defined(__AVX512F__)

inline void store_halves(Half* to, VecF x) {
  const __m256i halves = _mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT);
  __builtin_memcpy(to, &halves, sizeof halves);
}
inline VecF load_halves(const Half* from) {
  __m256i halves;
  __builtin_memcpy(&halves, from, sizeof halves);
  return (VecF)_mm512_maskz_cvtph_ps(0xffff, halves);
}

#elif defined(__F16C__)

inline void store_halves(Half* to, VecF x) {
  const __m128i halves = _mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT);
  __builtin_memcpy(to, &halves, sizeof halves);
}
inline VecF load_halves(const Half* from) {
  __m128i halves;
  __builtin_memcpy(&halves, from, sizeof halves);
  return (VecF)_mm256_cvtph_ps(halves);
}

#elif defined(__ARM_NEON)

inline void store_halves(Half* to, VecF x) {
  const float16x4_t halves = vcvt_f16_f32((float32x4_t)x);
  __builtin_memcpy(to, &halves, sizeof halves);
}
inline VecF load_halves(const Half* from) {
  float16x4_t halves;
  __builtin_memcpy(&halves, from, sizeof halves);
  return (VecF)vcvt_f32_f16(halves);
}

#else

// The same by integers: exponents count from 15 in place of 127, and fractions are 13 bits shorter.
// Kernels take a subnormal float32 for zero, so one of float16 is rounded, and made normal, by the
// adder: beside a number whose last place is its own.
constexpr std::uint32_t exponents_apart = (127 - 15) << 23;
constexpr std::uint32_t least_normal = (127 - 14) << 23;  // of float16, as a float32
constexpr std::uint32_t first_infinite = (127 + 16) << 23;
constexpr float beside_subnormals = 0.5f;

inline void store_halves(Half* to, VecF x) {
  const VecU32 sign = (VecU32)x & 0x80000000;
  const VecU32 size = (VecU32)x ^ sign;
  const VecU32 normal = (size - exponents_apart + 0xfff + ((size >> 13) & 1)) >> 13;
  const VecU32 subnormal =
      (VecU32)((VecF)size + beside_subnormals) - (VecU32)(VecF{} + beside_subnormals);
  const VecU32 special = size > 0x7f800000 ? VecU32{} + 0x7e00 : VecU32{} + 0x7c00;
  const VecU32 finite = size < least_normal ? subnormal : normal;
  const VecU32 halves = (size >= first_infinite ? special : finite) | (sign >> 16);
  const VecU16 narrow = __builtin_convertvector(halves, VecU16);
  __builtin_memcpy(to, &narrow, sizeof narrow);
}
inline VecF load_halves(const Half* from) {
  VecU16 narrow;
  __builtin_memcpy(&narrow, from, sizeof narrow);
  const VecU32 halves = __builtin_convertvector(narrow, VecU32);
  const VecU32 size = (halves & 0x7fff) << 13;
  const VecU32 normal = size + exponents_apart;
  const VecU32 special = normal + exponents_apart;
  const auto subnormal = (VecU32)((VecF)(size + least_normal) - (VecF)(VecU32{} + least_normal));
  const VecU32 finite = size < (1u << 23) ? subnormal : normal;
  return (VecF)((size >= (31u << 23) ? special : finite) | (halves & 0x8000) << 16);
}

#endif

}  // namespace
}  // namespace rnnfast
