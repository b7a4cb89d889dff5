// Numbers as bytes with a scale, x = scale q, symmetric about zero:
//
//   a row of x         scale = max |x| / 127     q = x / scale, to the nearest, ties to even
//   h, |h| <= 1        scale = 1 / 127
//   a row of weights   as one of x
//
// Of the operands u = q + 128 is kept, from 1 to 255, since products take one of their bytes
// without a sign (simd/byte_products.hpp). u = 0 stands for an h that is NaN.
//
// A row of x that has NaN or infinities has the scale NaN, and so has one of h that has NaN: then
// all that a product gives for that row is NaN, and for no other.
#pragma once

#include <cfloat>

#include "simd/byte_products.hpp"

namespace rnnfast {
namespace {

constexpr float largest_quantum = 127.0f;
constexpr std::uint8_t zero_byte = 128;
constexpr float scale_of_units = 1.0f / largest_quantum;

// Numbers up to 2^22 in size lose their fractions, to the nearest and ties to even, when this is
// added; their last byte is then that of the integer, 128 more. Of NaN it is some byte.
constexpr float rounding = 1.5f * (1 << 23) + zero_byte;

inline LaneBytes round_to_bytes(VecF x) {
  return __builtin_convertvector(to_bits(x + rounding) & 0xff, LaneBytes);
}

/// How a row is quantized: q is x times `inverse`, to the nearest.
struct RowScale {
  float scale;
  float inverse;
};

/// Of a row whose largest number is of this size; not finite: of one that has NaN or infinities.
/// What is too small for its inverse counts as zero.
inline RowScale row_scale(float largest) {
  constexpr float smallest = largest_quantum / FLT_MAX;
  if (!(largest <= FLT_MAX)) return {__builtin_nanf(""), 0};
  if (largest <= smallest) return {0, 0};
  return {largest / largest_quantum, largest_quantum / largest};
}

/// max |x|; infinite where one is NaN.
inline float largest_size(const float* x, index length) {
  constexpr index N = lanes<float>;
  VecF most = {};
  VecI32 odd = {};  // NaN is the one that is not its own equal
  const auto look = [&](VecF v) {
    const VecF size = from_bits<VecF>(to_bits(v) & 0x7fffffff);
    most = size > most ? size : most;
    odd |= v != v;
  };
  index i = 0;
  for (; i + N <= length; i += N) look(load(x + i));
  if (i < length) look(load_first(x + i, length - i));
  std::int32_t any = 0;
  for (int lane = 0; lane < static_cast<int>(N); ++lane) any |= odd[lane];
  return any ? __builtin_inff() : largest_lane(most);
}

/// Bytes that a row of so many numbers takes, whole vectors.
constexpr index quantized_row(index length) { return round_up(length, lanes<float>); }

/// A row of x as bytes, with those of zero up to `quantized_row(length)`; returns its scale.
inline float quantize_row(const float* x, index length, std::uint8_t* to) {
  constexpr index N = lanes<float>;
  const RowScale row = row_scale(largest_size(x, length));
  const auto leave = [&](VecF v, std::uint8_t* place) {
    const LaneBytes bytes = round_to_bytes(v * row.inverse);
    __builtin_memcpy(place, &bytes, sizeof bytes);
  };
  index i = 0;
  for (; i + N <= length; i += N) leave(load(x + i), to + i);
  if (i < length) leave(load_first(x + i, length - i), to + i);
  return row.scale;
}

/// N units of h as bytes. What is beyond 1 counts as 1.
inline void quantize_units(VecF h, std::uint8_t* to) {
  const VecF within = at_least(at_most(h, VecF{} + 1), VecF{} - 1);
  const VecI32 bytes = to_bits(within * largest_quantum + rounding) & 0xff;
  const LaneBytes u = __builtin_convertvector(bytes & ~(h != h), LaneBytes);
  __builtin_memcpy(to, &u, sizeof u);
}

/// The scale of a row of h, `quantized_row(units)` bytes.
inline float scale_of_unit_row(const std::uint8_t* row, index units) {
  constexpr index N = lanes<float>;
  LaneBytes nan = {};
  for (index i = 0; i < units; i += N) {
    LaneBytes u;
    __builtin_memcpy(&u, row + i, sizeof u);
    nan |= (LaneBytes)(u == 0);
  }
  std::uint8_t any = 0;
  for (int lane = 0; lane < static_cast<int>(N); ++lane) any |= nan[lane];
  return any ? __builtin_nanf("") : scale_of_units;
}

}  // namespace
}  // namespace rnnfast
