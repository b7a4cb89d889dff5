// An activation that a call has chosen (math/activation_choice.hpp), and its slope from its output:
//
//   affine              alpha                        elu          beta where y > 0, else y + alpha
//   leaky_relu          1 where y > 0, else alpha    softsign     (1 - |y|)^2
//   thresholded_relu    1 where y > 0, else 0        softplus     1 - e^-y
//   sigmoid             y (1 - y)                    exponential  y
//   scaled_tanh         beta (alpha - y^2 / alpha)
//
// and 0 where y has come to one of its bounds. All functions are monotone, so that bounds of x are
// bounds of y: the values there. Accuracy: 4 ulp, of the larger term where a formula subtracts. NaN
// stays NaN.
#pragma once

#include "math/activation_choice.hpp"
#include "math/activations.hpp"
#include "math/log1p.hpp"

namespace rnnfast {
namespace {

/// e^x - 1 for x <= 0.
template <class V>
RNNFAST_BOTH inline V exp_minus_1(V x) {
  return split_exp(at_least(x, splat<V>(ExpConstants<Scalar<V>>::lowest))).minus_1();
}

/// e^x, 0 below the normal numbers. Its halves reach as far as the results do; 2^n does not.
template <class V>
RNNFAST_BOTH inline V exponential(V x) {
  using C = ExpConstants<Scalar<V>>;
  const V half = x * splat<V>(static_cast<Scalar<V>>(0.5));
  const V root =
      split_exp(at_least(at_most(half, splat<V>(C::highest)), splat<V>(C::lowest))).whole();
  return root * root;
}

/// x / (1 + |x|), which has come to 1 long before x / x of two infinities would be NaN.
template <class V>
RNNFAST_BOTH inline V softsign(V x) {
  const V far = splat<V>(1e30f);
  const V near = at_least(at_most(x, far), -far);
  return near / (splat<V>(1) + at_least(near, -near));
}

/// log(1 + e^x)
template <class V>
RNNFAST_BOTH inline V softplus(V x) {
  return at_least(x, V{}) + log1p(exponential(at_most(x, -x)));
}

template <class T>
class Chosen {
  using V = Vec<T>;
  using F = ActivationFunction;

 public:
  RNNFAST_BOTH explicit Chosen(const ActivationChoice& choice)
      : function_(choice.function),
        alpha_(static_cast<T>(choice.alpha)),
        beta_(static_cast<T>(choice.beta)),
        inverse_alpha_(static_cast<T>(1 / choice.alpha)),
        lowest_(static_cast<T>(choice.lowest)),
        highest_(static_cast<T>(choice.highest)) {
    if (choice.clip > __DBL_MAX__) return;
    const T at_clip = first_lane(value(splat<V>(static_cast<T>(choice.clip))));
    const T at_minus_clip = first_lane(value(splat<V>(static_cast<T>(-choice.clip))));
    const bool rises = at_clip > at_minus_clip;
    lowest_ = rises ? at_minus_clip : at_clip;
    highest_ = rises ? at_clip : at_minus_clip;
  }

  RNNFAST_BOTH bool is_sigmoid() const { return function_ == F::sigmoid; }
  RNNFAST_BOTH bool is_tanh() const {
    return function_ == F::scaled_tanh && alpha_ == 1 && beta_ == 1;
  }
  RNNFAST_BOTH T lowest() const { return lowest_; }
  RNNFAST_BOTH T highest() const { return highest_; }

  // One copy of each serves all activations of all cells.
  RNNFAST_ONE_COPY RNNFAST_BOTH V value(V x) const {
    return at_least(at_most(unbounded(x), splat<V>(highest_)), splat<V>(lowest_));
  }

  RNNFAST_ONE_COPY RNNFAST_BOTH V slope(V y) const {
    const V within = y <= splat<V>(lowest_) ? V{} : unbounded_slope(y);
    return y >= splat<V>(highest_) ? V{} : within;
  }

 private:
  RNNFAST_BOTH V unbounded(V x) const {
    const V zero = {};
    const V alpha = splat<V>(alpha_);
    const V beta = splat<V>(beta_);
    switch (function_) {
      case F::sigmoid:
        return sigmoid(x);
      case F::scaled_tanh:
        return alpha * tanh(beta * x);
      case F::affine:
        return fma(alpha, x, beta);
      case F::leaky_relu:
        return fma(alpha, at_most(x, zero), at_least(x, zero));
      case F::thresholded_relu:
        return x < alpha ? zero : x;
      case F::elu:
        return x > zero ? beta * x : alpha * exp_minus_1(at_most(x, zero));
      case F::softsign:
        return softsign(x);
      case F::softplus:
        return softplus(x);
      case F::exponential:
        return exponential(x);
    }
    return x;
  }

  RNNFAST_BOTH V unbounded_slope(V y) const {
    const V zero = {};
    const V one = splat<V>(1);
    const V alpha = splat<V>(alpha_);
    const V beta = splat<V>(beta_);
    switch (function_) {
      case F::sigmoid:
        return Sigmoid::slope(y);
      case F::scaled_tanh:
        return beta * fma(-y * splat<V>(inverse_alpha_), y, alpha);
      case F::affine:
        return alpha;
      case F::leaky_relu:
        return y > zero ? one : alpha;
      case F::thresholded_relu:
        return y > zero ? one : zero;
      case F::elu:
        return y > zero ? beta : y + alpha;
      case F::softsign:
        return (one - at_least(y, -y)) * (one - at_least(y, -y));
      case F::softplus:
        return -exp_minus_1(-y);
      case F::exponential:
        return y;
    }
    return y;
  }

  ActivationFunction function_;
  T alpha_;
  T beta_;
  T inverse_alpha_;
  T lowest_;
  T highest_;
};

/// Sigmoid or tanh with the bounds of a chosen one that it is, and the same bits.
template <class Function, class T>
class Bounded {
  using V = Vec<T>;

 public:
  RNNFAST_BOTH explicit Bounded(const Chosen<T>& chosen)
      : lowest_(broadcast(chosen.lowest())), highest_(broadcast(chosen.highest())) {}

  RNNFAST_BOTH V value(V x) const {
    return at_least(at_most(Function::value(x), highest_), lowest_);
  }
  RNNFAST_BOTH V slope(V y) const {
    const V within = y <= lowest_ ? V{} : Function::slope(y);
    return y >= highest_ ? V{} : within;
  }

 private:
  V lowest_;
  V highest_;
};

}  // namespace
}  // namespace rnnfast
