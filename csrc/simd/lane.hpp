// A vector of one lane (simd/vec.hpp): what `math` and `cells` ask of one.
#pragma once

#include <cstdint>

#include "base/dims.hpp"

namespace rnnfast {
namespace {

template <class T>
using Vec = T;
template <class T>
constexpr index lanes = 1;
template <class V>
using Scalar = V;

RNNFAST_BOTH inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
RNNFAST_BOTH inline double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }

template <class V>
RNNFAST_BOTH inline V broadcast(V x) {
  return x;
}
template <class V>
RNNFAST_BOTH inline V splat(V x) {
  return x;
}
template <class V>
RNNFAST_BOTH inline V first_lane(V x) {
  return x;
}

template <class V>
struct BitsOf;
template <>
struct BitsOf<float> {
  using Bits = std::int32_t;
};
template <>
struct BitsOf<double> {
  using Bits = std::int64_t;
};

/// The bits as an integer, and back.
template <class V>
RNNFAST_BOTH inline auto to_bits(V x) {
  return __builtin_bit_cast(typename BitsOf<V>::Bits, x);
}
template <class V, class Bits>
RNNFAST_BOTH inline V from_bits(Bits bits) {
  return __builtin_bit_cast(V, bits);
}

// The smaller (larger) of x and a limit; NaN stays NaN.
template <class V>
RNNFAST_BOTH inline V at_most(V x, V limit) {
  return x > limit ? limit : x;
}
template <class V>
RNNFAST_BOTH inline V at_least(V x, V limit) {
  return x < limit ? limit : x;
}

}  // namespace
}  // namespace rnnfast
