// The minimal gated unit (Zhou et al. 2016), whose one gate both resets and updates, in a step of
// two phases:
//
//   f = sigmoid(W_f x + U_f h_prev + b_f)
//   n = tanh(W_n x + U_n (f h_prev) + b_n)             h = (1 - f) h_prev + f n
//
//   dn = dh f, times its slope                         dh_prev += dh (1 - f)
//   then with q = U_n^T dn, the gradient of f h_prev:
//   df = dh (n - h_prev) + q h_prev, times its slope   dh_prev += q f
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

struct MguShape {
  enum Part { f, n };
  static constexpr int gates = 2;
  static constexpr int parts = 2;
  static constexpr int gate_of[parts] = {0, 1};
  static constexpr Range input = {f, n + 1};
  static constexpr int phases = 2;
  static constexpr Range phase[phases] = {{f, n}, {n, n + 1}};
  static constexpr bool has_memory = false;
  static constexpr int activations = 2;
};

template <class Activations>
struct Mgu : MguShape {
  using Shape = MguShape;
  Activations act;

  template <int Phase, class V>
  RNNFAST_BOTH V stage(V (&gate)[parts], V h_prev) const {
    gate[f] = act.gates.value(gate[f]);
    return gate[f] * h_prev;
  }

  template <class V>
  RNNFAST_BOTH State<V> forward(V (&gate)[parts], State<V> prev) const {
    gate[n] = act.candidate.value(gate[n]);
    return {fma(gate[f], gate[n] - prev.h, prev.h), V{}};
  }

  template <class V>
  RNNFAST_BOTH void backward(const V (&gate)[parts], State<V> prev, State<V>& d,
                             V (&delta)[parts]) const {
    delta[n] = d.h * gate[f] * act.candidate.slope(gate[n]);
    delta[f] = d.h * (gate[n] - prev.h);  // the rest is known only after the second phase's product
    d.h = d.h * (splat<V>(1) - gate[f]);
  }

  template <int Phase, class V>
  RNNFAST_BOTH void unstage(const V (&gate)[parts], V h_prev, V d_operand, V& dh,
                            V (&delta)[parts]) const {
    delta[f] = fma(d_operand, h_prev, delta[f]) * act.gates.slope(gate[f]);
    dh = fma(d_operand, gate[f], dh);
  }
};

}  // namespace
}  // namespace rnnfast
