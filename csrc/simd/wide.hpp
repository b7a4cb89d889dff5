// A vector of N lanes (simd/vec.hpp) over the compiler's vector extensions.
//
// What a target compiles of simd, math, cells, gemm and cpu has internal linkage. The same
// templates are compiled once per instruction set; merged by the linker, they would crash older
// processors.
#pragma once

#include <cstdint>

#include "base/dims.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

// GCC's name for it, and Clang's.
#if defined(__AMX_BF16__) || defined(__AMXBF16__)
#define RNNFAST_MATRIX_UNIT
#endif

namespace rnnfast {
namespace {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
constexpr int vector_registers = 32;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
constexpr int vector_registers = 16;
#elif defined(__ARM_NEON)
constexpr int vector_bytes = 16;
constexpr int vector_registers = 32;
#else
constexpr int vector_bytes = 16;
constexpr int vector_registers = 16;
#endif

typedef float VecF __attribute__((vector_size(vector_bytes)));
typedef double VecD __attribute__((vector_size(vector_bytes)));
typedef std::int32_t VecI32 __attribute__((vector_size(vector_bytes)));
typedef std::int64_t VecI64 __attribute__((vector_size(vector_bytes)));
typedef std::uint32_t VecU32 __attribute__((vector_size(vector_bytes)));
typedef std::uint16_t VecU16 __attribute__((vector_size(vector_bytes / 2)));

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  using Vector = VecF;
  using Bits = VecI32;
};
template <>
struct VectorOf<double> {
  using Vector = VecD;
  using Bits = VecI64;
};

/// The vector of N = lanes<T> values, and its bits as integers.
template <class T>
using Vec = typename VectorOf<T>::Vector;
template <class T>
constexpr index lanes = vector_bytes / static_cast<index>(sizeof(T));

template <class T>
inline Vec<T> load(const T* from) {
  Vec<T> v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
inline void store(T* to, Vec<T> v) {
  __builtin_memcpy(to, &v, sizeof v);
}

/// Asks for a line, to be in L2 when it is read, or written.
inline void ask_to_read(const void* line) { __builtin_prefetch(line, 0, 2); }
inline void ask_to_write(const void* line) { __builtin_prefetch(line, 1, 2); }

template <class T>
inline Vec<T> broadcast(T x) {
  return x - Vec<T>{};
}

#if defined(__AVX512F__)
inline VecF fma(VecF a, VecF b, VecF c) { return (VecF)_mm512_fmadd_ps(a, b, c); }
inline VecD fma(VecD a, VecD b, VecD c) { return (VecD)_mm512_fmadd_pd(a, b, c); }
#elif defined(__AVX2__)
inline VecF fma(VecF a, VecF b, VecF c) { return (VecF)_mm256_fmadd_ps(a, b, c); }
inline VecD fma(VecD a, VecD b, VecD c) { return (VecD)_mm256_fmadd_pd(a, b, c); }
#elif defined(__ARM_NEON)
inline VecF fma(VecF a, VecF b, VecF c) { return (VecF)vfmaq_f32(c, a, b); }
inline VecD fma(VecD a, VecD b, VecD c) { return (VecD)vfmaq_f64(c, a, b); }
#else
inline VecF fma(VecF a, VecF b, VecF c) { return a * b + c; }
inline VecD fma(VecD a, VecD b, VecD c) { return a * b + c; }
#endif

/// The scalar type of a vector, and a vector of one value.
template <class V>
using Scalar = decltype(V{}[0] + V{}[0]);
template <class V>
inline V splat(Scalar<V> x) {
  return x - V{};
}
template <class V>
inline Scalar<V> first_lane(V x) {
  return x[0];
}

/// The bits as integers, and back.
template <class V>
inline auto to_bits(V x) {
  return (typename VectorOf<Scalar<V>>::Bits)x;
}
template <class V, class Bits>
inline V from_bits(Bits bits) {
  return (V)bits;
}

// The smaller (larger) of x and a limit; NaN stays NaN, because x86's min and max return their
// second operand where one is NaN. The compiler does not find these instructions by itself.
#if defined(__AVX512F__)
// (Masked with all lanes: GCC 12 warns of the undefined vector within the plain ones, bug 105593.)
inline VecF at_most(VecF x, VecF limit) { return (VecF)_mm512_maskz_min_ps(0xffff, limit, x); }
inline VecD at_most(VecD x, VecD limit) { return (VecD)_mm512_maskz_min_pd(0xff, limit, x); }
inline VecF at_least(VecF x, VecF limit) { return (VecF)_mm512_maskz_max_ps(0xffff, limit, x); }
inline VecD at_least(VecD x, VecD limit) { return (VecD)_mm512_maskz_max_pd(0xff, limit, x); }
#elif defined(__AVX2__)
inline VecF at_most(VecF x, VecF limit) { return (VecF)_mm256_min_ps(limit, x); }
inline VecD at_most(VecD x, VecD limit) { return (VecD)_mm256_min_pd(limit, x); }
inline VecF at_least(VecF x, VecF limit) { return (VecF)_mm256_max_ps(limit, x); }
inline VecD at_least(VecD x, VecD limit) { return (VecD)_mm256_max_pd(limit, x); }
#else
template <class V>
inline V at_most(V x, V limit) {
  return x > limit ? limit : x;
}
template <class V>
inline V at_least(V x, V limit) {
  return x < limit ? limit : x;
}
#endif

/// The sum of all lanes.
template <class V>
inline Scalar<V> total(V v) {
  Scalar<V> sum = v[0];
  for (int lane = 1; lane < static_cast<int>(lanes<Scalar<V>>); ++lane) sum += v[lane];
  return sum;
}

/// The largest of all lanes; of NaN it says nothing.
template <class V>
inline Scalar<V> largest_lane(V v) {
  Scalar<V> most = v[0];
  for (int lane = 1; lane < static_cast<int>(lanes<Scalar<V>>); ++lane) {
    most = v[lane] > most ? v[lane] : most;
  }
  return most;
}

/// The first `count` lanes of v, zero in the others.
template <class V>
inline V keep_first(V v, index count) {
  using T = Scalar<V>;
  using Bits = typename VectorOf<T>::Bits;
  Bits lane;
  for (int i = 0; i < static_cast<int>(lanes<T>); ++i) lane[i] = i;
  return lane < static_cast<decltype(lane[0] + lane[0])>(count) ? v : V{};
}

// The first `count` of N lanes, 0 < count <= N: the last group of units touches no memory past an
// array that is not ours to pad.
#if defined(__AVX512F__)
inline VecF load_first(const float* from, index count) {
  return (VecF)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
}
inline VecD load_first(const double* from, index count) {
  return (VecD)_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), from);
}
inline void store_first(float* to, VecF v, index count) {
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), v);
}
inline void store_first(double* to, VecD v, index count) {
  _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << count) - 1), v);
}
#else
template <class T>
inline Vec<T> load_first(const T* from, index count) {
  T buffer[lanes<T>] = {};
  for (index lane = 0; lane < count; ++lane) buffer[lane] = from[lane];
  return load(buffer);
}
inline void store_first(float* to, VecF v, index count) {
  for (index lane = 0; lane < count; ++lane) to[lane] = v[lane];
}
inline void store_first(double* to, VecD v, index count) {
  for (index lane = 0; lane < count; ++lane) to[lane] = v[lane];
}
#endif

}  // namespace
}  // namespace rnnfast
