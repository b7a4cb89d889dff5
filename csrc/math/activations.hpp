// sigmoid(x) = 1 / (1 + e^-x)     tanh(x) = (e^2x - 1) / (e^2x + 1)     relu(x) = max(x, 0)
// and their slopes from their outputs: s (1 - s), 1 - t^2, [y > 0].
//
// Accuracy: 3 ulp for sigmoid wherever its value is a normal number (below: 0), 3 ulp for tanh
// everywhere: with e^2x = 2^n (1 + p) the numerator is 2^n p + (2^n - 1), which near zero (n = 0)
// is p itself, with nothing cancelled. NaN stays NaN.
#pragma once

#include "math/exp.hpp"

namespace rnnfast {
namespace {

// Inlined whatever the compiler counts: a target's file is so large that GCC would leave calls in
// the epilogues of whichever cells come last.
struct Sigmoid {
  template <class V>
  [[gnu::always_inline]] RNNFAST_BOTH static V value(V x) {
    using C = ExpConstants<Scalar<V>>;
    x = at_least(at_most(x, splat<V>(-C::lowest)), splat<V>(-C::highest));
    const V one = splat<V>(1);
    return one / (one + split_exp(-x).whole());
  }
  template <class V>
  RNNFAST_BOTH static V slope(V s) {
    return fma(-s, s, s);
  }
};

struct Tanh {
  template <class V>
  [[gnu::always_inline]] RNNFAST_BOTH static V value(V x) {
    // From here on tanh rounds to 1: 9.02 in float, 19.07 in double.
    constexpr auto saturation = sizeof(Scalar<V>) == sizeof(float) ? 9.1f : 19.1f;
    x = at_least(at_most(x, splat<V>(saturation)), splat<V>(-saturation));
    const V numerator = split_exp(x + x).minus_1();
    return numerator / (numerator + splat<V>(2));
  }
  template <class V>
  RNNFAST_BOTH static V slope(V t) {
    return fma(-t, t, splat<V>(1));
  }
};

struct Relu {
  template <class V>
  RNNFAST_BOTH static V value(V x) {
    return at_least(x, V{});
  }
  template <class V>
  RNNFAST_BOTH static V slope(V y) {
    return y > V{} ? splat<V>(1) : V{};
  }
};

template <class V>
[[gnu::always_inline]] RNNFAST_BOTH inline V sigmoid(V x) {
  return Sigmoid::value(x);
}
template <class V>
[[gnu::always_inline]] RNNFAST_BOTH inline V tanh(V x) {
  return Tanh::value(x);
}

}  // namespace
}  // namespace rnnfast
