// The gated recurrent unit as published, with the reset gate before the recurrent product (Cho et
// al. 2014; Keras's reset_after=False), which makes it a step of two phases:
//
//   r, z = sigmoid(W x + U h_prev + b)
//   n = tanh(W_n x + b_in + U_n (r h_prev) + b_hn)     h = (1 - z) n + z h_prev
//
//   dn = dh (1 - z)     dz = dh (h_prev - n)           dh_prev += dh z
//   each times the slope of its gate; then with q = U_n^T dn, the gradient of r h_prev:
//   dr = q h_prev, times the slope of r                dh_prev += q r
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

struct GruResetBeforeShape {
  enum Part { r, z, n };
  static constexpr int gates = 3;
  static constexpr int parts = 3;
  static constexpr int gate_of[parts] = {0, 1, 2};
  static constexpr Range input = {r, n + 1};
  static constexpr int phases = 2;
  static constexpr Range phase[phases] = {{r, n}, {n, n + 1}};
  static constexpr bool has_memory = false;
  static constexpr int activations = 2;
};

template <class Activations>
struct GruResetBefore : GruResetBeforeShape {
  using Shape = GruResetBeforeShape;
  Activations act;

  template <int Phase, class V>
  RNNFAST_BOTH V stage(V (&gate)[parts], V h_prev) const {
    gate[r] = act.gates.value(gate[r]);
    gate[z] = act.gates.value(gate[z]);
    return gate[r] * h_prev;
  }

  template <class V>
  RNNFAST_BOTH State<V> forward(V (&gate)[parts], State<V> prev) const {
    gate[n] = act.candidate.value(gate[n]);
    return {fma(gate[z], prev.h - gate[n], gate[n]), V{}};
  }

  template <class V>
  RNNFAST_BOTH void backward(const V (&gate)[parts], State<V> prev, State<V>& d,
                             V (&delta)[parts]) const {
    delta[n] = d.h * (splat<V>(1) - gate[z]) * act.candidate.slope(gate[n]);
    delta[z] = d.h * (prev.h - gate[n]) * act.gates.slope(gate[z]);
    delta[r] = V{};  // known only after the second phase's product
    d.h = d.h * gate[z];
  }

  template <int Phase, class V>
  RNNFAST_BOTH void unstage(const V (&gate)[parts], V h_prev, V d_operand, V& dh,
                            V (&delta)[parts]) const {
    delta[r] = d_operand * h_prev * act.gates.slope(gate[r]);
    dh = fma(d_operand, gate[r], dh);
  }
};

}  // namespace
}  // namespace rnnfast
