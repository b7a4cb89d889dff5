// e^x = 2^n (1 + p(r)),  n = round(x / ln 2),  r = x - n ln 2,  |r| <= ln(2)/2,
// p(r) = e^r - 1 = r + r^2 q(r),  q a minimax polynomial (Remez) for the relative error of p:
// degree 4 and 2^-26.2 in float, degree 10 and 2^-61.7 in double.
//
// Keeping 2^n and p(r) apart is what lets tanh be exact near zero and sigmoid in its far tail.
#pragma once

#include "simd/vec.hpp"

namespace rnnfast {
namespace {

template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  static constexpr int mantissa_bits = 23;
  static constexpr float round_and_bias = 12582912.0f + 127.0f;  // 1.5 * 2^23 + exponent bias
  static constexpr float log2_e = 1.44269504f;
  static constexpr float ln2_high = 0.693359375f;  // 9 bits: n * ln2_high is exact without an fma
  static constexpr float ln2_low = -2.12194440e-4f;
  static constexpr float lowest = -87.33654f;  // ln of the smallest normal number
  static constexpr float highest = 88.02969f;  // ln of 2^127
  static constexpr int degree = 4;
  RNNFAST_BOTH static float q(int i) {
    static constexpr float of[] = {0.4999999815f, 0.1666654362f, 0.04166719978f, 0.008366520555f,
                                   0.001388252796f};
    return of[i];
  }
};

template <>
struct ExpConstants<double> {
  static constexpr int mantissa_bits = 52;
  static constexpr double round_and_bias = 6755399441055744.0 + 1023.0;
  static constexpr double log2_e = 1.4426950408889634;
  static constexpr double ln2_high = 0.69314718036912382;  // 32 bits
  static constexpr double ln2_low = 1.9082149292705877e-10;
  static constexpr double lowest = -708.39641853226408;
  static constexpr double highest = 709.08956571282405;  // ln of 2^1023
  static constexpr int degree = 10;
  RNNFAST_BOTH static double q(int i) {
    static constexpr double of[] = {
        0.50000000000000000085,   0.16666666666666676506,   0.041666666666666508666,
        0.0083333333333216924788, 0.0013888888888962438891, 0.00019841269885963328122,
        0.000024801587172387480,  2.7557244376953606828e-6, 2.755740278364364843e-7,
        2.5108977888024355229e-8, 2.0875283504007057035e-9};
    return of[i];
  }
};

/// e^x as 2^n (1 + p).
template <class V>
struct SplitExp {
  V power;  // 2^n
  V p;      // e^r - 1
  RNNFAST_BOTH V whole() const { return fma(power, p, power); }
  /// e^x - 1: near zero, where 2^n is 1, p itself.
  RNNFAST_BOTH V minus_1() const { return fma(power, p, power - splat<V>(1)); }
};

/// x between lowest and highest, or NaN, which stays NaN.
template <class V>
RNNFAST_BOTH inline SplitExp<V> split_exp(V x) {
  using T = Scalar<V>;
  using C = ExpConstants<T>;
  // Adding 1.5 * 2^mantissa_bits rounds to an integer, which then stands in the lowest bits.
  const V magic = splat<V>(C::round_and_bias);
  const V shifted = fma(x, splat<V>(C::log2_e), magic);
  const V n = shifted - magic;
  const V r = fma(n, splat<V>(-C::ln2_low), fma(n, splat<V>(-C::ln2_high), x));
  V q = splat<V>(C::q(C::degree));
  RNNFAST_UNROLL(16)
  for (int i = C::degree - 1; i >= 0; --i) q = fma(q, r, splat<V>(C::q(i)));
  return {from_bits<V>(to_bits(shifted) << C::mantissa_bits), fma(r * r, q, r)};
}

}  // namespace
}  // namespace rnnfast
