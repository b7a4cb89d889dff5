// log(e^a + e^b) = m + log1p(e^(n - m)),  m the larger of the two and n the smaller,
//
// and likewise of three, where what stands beside the 1 may be as much as 2. Nothing overflows,
// minus infinity is the logarithm of zero, and NaN stays NaN.
#pragma once

#include "math/exp.hpp"
#include "math/log1p.hpp"

namespace rnnfast {
namespace {

template <class T>
constexpr T log_of_zero = static_cast<T>(-__builtin_inf());

/// e^x, x at most about 0; zero where it is too small for a normal number.
template <class V>
[[gnu::always_inline]] inline V exp_below(V x) {
  const V lowest = splat<V>(ExpConstants<Scalar<V>>::lowest);
  return x < lowest ? V{} : split_exp(at_least(x, lowest)).whole();
}

/// Two numbers by size, of which NaN is one if it was.
template <class V>
struct BySize {
  V larger;
  V smaller;
  [[gnu::always_inline]] BySize(V a, V b) : larger(a > b ? a : b), smaller(a > b ? b : a) {}
};

/// What to take from numbers of which `largest` is the largest: it, where it is finite.
template <class V>
[[gnu::always_inline]] inline V finite_shift(V largest) {
  constexpr auto least = sizeof(Scalar<V>) == sizeof(float) ? -__FLT_MAX__ : -__DBL_MAX__;
  return at_least(largest, splat<V>(static_cast<Scalar<V>>(least)));
}

template <class V>
[[gnu::always_inline]] inline V log_add(V a, V b) {
  const BySize<V> of(a, b);
  return of.larger + log1p(exp_below(of.smaller - finite_shift(of.larger)));
}

template <class V>
[[gnu::always_inline]] inline V log_add(V a, V b, V c) {
  using T = Scalar<V>;
  const BySize<V> first(a, b);
  const BySize<V> last(first.larger, c);
  const V shift = finite_shift(last.larger);
  const V sum = exp_below(first.smaller - shift) + exp_below(last.smaller - shift);
  // log1p ends at 1: past that, 1 + sum = 2 (1 + (sum - 1) / 2).
  const V one = splat<V>(1);
  const auto is_far = sum > one;
  const V halved = (sum - one) * splat<V>(static_cast<T>(0.5));
  const V log_2 = splat<V>(static_cast<T>(0.693147180559945309));
  return last.larger + (log1p(is_far ? halved : sum) + (is_far ? log_2 : V{}));
}

}  // namespace
}  // namespace rnnfast
