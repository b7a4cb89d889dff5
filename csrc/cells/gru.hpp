// The gated recurrent unit with the reset gate after the recurrent product (cuDNN, PyTorch; Keras's
// reset_after=True):
//
//   r, z = sigmoid(W x + U h_prev + b)         m = U_n h_prev + b_hn
//   n = tanh(W_n x + b_in + r m)               h = (1 - z) n + z h_prev
//
//   dn = dh (1 - z)        dz = dh (h_prev - n)        dh_prev += dh z
//   each times the slope of its gate; then dm = dn r, dr = dn m, times the slope of r
//
// W_ih x feeds n r z and W_hh h feeds r z m, so that in this order both are adjacent.
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

struct GruShape {
  enum Part { n, r, z, m };
  static constexpr int gates = 3;
  static constexpr int parts = 4;
  static constexpr int gate_of[parts] = {2, 0, 1, 2};
  static constexpr Range input = {n, m};
  static constexpr int phases = 1;
  static constexpr Range phase[phases] = {{r, m + 1}};
  static constexpr bool has_memory = false;
  static constexpr int activations = 2;
};

template <class Activations>
struct Gru : GruShape {
  using Shape = GruShape;
  Activations act;

  template <class V>
  RNNFAST_BOTH State<V> forward(V (&gate)[parts], State<V> prev) const {
    gate[r] = act.gates.value(gate[r]);
    gate[z] = act.gates.value(gate[z]);
    gate[n] = act.candidate.value(fma(gate[r], gate[m], gate[n]));
    return {fma(gate[z], prev.h - gate[n], gate[n]), V{}};
  }

  template <class V>
  RNNFAST_BOTH void backward(const V (&gate)[parts], State<V> prev, State<V>& d,
                             V (&delta)[parts]) const {
    delta[n] = d.h * (splat<V>(1) - gate[z]) * act.candidate.slope(gate[n]);
    delta[z] = d.h * (prev.h - gate[n]) * act.gates.slope(gate[z]);
    delta[m] = delta[n] * gate[r];
    delta[r] = delta[n] * gate[m] * act.gates.slope(gate[r]);
    d.h = d.h * gate[z];
  }
};

}  // namespace
}  // namespace rnnfast
