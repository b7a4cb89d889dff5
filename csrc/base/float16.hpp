// Numbers of 16 bits, which arrays may hold; they are computed with in float32.
//
//             exponent   fraction   largest      smallest normal   smallest
//   Float16     5 bits    10 bits   65504        2^-14             2^-24
//   Bfloat16    8          7        3.39e38      2^-126            2^-133
//
// A float becomes the nearest of them, of two the even one, or infinity past the largest. Numbers
// below the smallest normal one keep the bits they have there, NaN stays NaN (and becomes quiet).
// All of it by integers, but for two sums that no subnormal float is needed in: threads that flush
// these to zero, GPUs and any processor give the same bits.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/host_device.hpp"

namespace rnnfast {

struct Float16 {
  std::uint16_t bits;
};

struct Bfloat16 {
  std::uint16_t bits;
};

/// What is computed in where arrays hold `Stored`.
template <class Stored>
using ScalarOf = std::conditional_t<std::is_same_v<Stored, double>, double, float>;

/// Whether arrays hold less than is computed in.
template <class Stored>
constexpr bool is_short = !std::is_same_v<Stored, ScalarOf<Stored>>;

namespace {  // as in base/dims.hpp

RNNFAST_BOTH constexpr std::uint32_t bits_of(float x) {
  return __builtin_bit_cast(std::uint32_t, x);
}
RNNFAST_BOTH constexpr float float_of(std::uint32_t bits) {
  return __builtin_bit_cast(float, bits);
}

RNNFAST_BOTH constexpr float widened(Bfloat16 x) { return float_of(std::uint32_t{x.bits} << 16); }

RNNFAST_BOTH constexpr float widened(Float16 x) {
  const std::uint32_t sign = (x.bits & 0x8000u) << 16;
  const std::uint32_t size = (x.bits & 0x7fffu) << 13;
  if (size >= 0x7c00u << 13) return float_of(sign | 0x70000000u | size);
  if (size >= 0x0400u << 13) return float_of(sign | (size + 0x38000000u));
  // The fraction of a number from 2^-14 on, which is then taken from it.
  return float_of(sign | bits_of(float_of(size + 0x38800000u) - 0x1p-14f));
}

template <class Short>
RNNFAST_BOTH constexpr Short nearest(float x);

template <>
RNNFAST_BOTH constexpr Bfloat16 nearest<Bfloat16>(float x) {
  const std::uint32_t all = bits_of(x);
  const bool is_nan = (all & 0x7fffffffu) > 0x7f800000u;
  const std::uint32_t even = all >> 16 & 1u;
  const std::uint32_t found = is_nan ? all >> 16 | 0x40u : (all + 0x7fffu + even) >> 16;
  return {static_cast<std::uint16_t>(found)};
}

template <>
RNNFAST_BOTH constexpr Float16 nearest<Float16>(float x) {
  const std::uint32_t sign = bits_of(x) >> 16 & 0x8000u;
  const std::uint32_t size = bits_of(x) & 0x7fffffffu;
  const std::uint32_t even = size >> 13 & 1u;
  std::uint32_t found = (size - 0x38000000u + 0xfffu + even) >> 13;
  // The last bit of 0.5 is the smallest number that there is.
  if (size < 0x38800000u) found = bits_of(float_of(size) + 0.5f) - 0x3f000000u;
  if (size >= 0x47800000u) found = 0x7c00u;
  if (size > 0x7f800000u) found = 0x7e00u | (size >> 13 & 0x3ffu);
  return {static_cast<std::uint16_t>(sign | found)};
}

/// A number as one of another type: from what is stored to what is computed in, and back.
template <class To, class From>
RNNFAST_BOTH constexpr To converted(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (is_short<From>) {
    return converted<To>(widened(x));
  } else if constexpr (is_short<To>) {
    return nearest<To>(static_cast<float>(x));
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace
}  // namespace rnnfast
