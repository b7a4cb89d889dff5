// log(1 + u) = 2 atanh(s),  s = u / (2 + u),  atanh(s) = s (1 + s^2/3 + s^4/5 + ...)
//
// For 0 <= u <= 1, where s^2 <= 1/9 and a series of fixed length does: what is left out is less
// than 2^-29 of the result in float, 2^-58 in double. With two roundings in s and one at the end, 3
// ulp.
#pragma once

#include "simd/vec.hpp"

namespace rnnfast {
namespace {

/// The coefficient of s^2k.
template <class T>
RNNFAST_BOTH constexpr T inverse_odd(int k) {
  return 1 / static_cast<T>(2 * k + 1);
}

template <class V>
RNNFAST_BOTH inline V log1p(V u) {
  using T = Scalar<V>;
  constexpr int terms = sizeof(T) == sizeof(float) ? 8 : 17;
  // s itself would be flushed to zero where u is among the smallest normal numbers.
  const V half = splat<V>(static_cast<T>(0.5));
  const V twice = u / fma(u, half, splat<V>(1));
  const V square = twice * half * (twice * half);
  V sum = splat<V>(inverse_odd<T>(terms - 1));
  RNNFAST_UNROLL(17)
  for (int k = terms - 2; k > 0; --k) sum = fma(sum, square, splat<V>(inverse_odd<T>(k)));
  return fma(twice * square, sum, twice);
}

}  // namespace
}  // namespace rnnfast
