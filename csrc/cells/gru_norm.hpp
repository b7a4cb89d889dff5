// The gated recurrent unit, its reset gate after the product, with layer normalization (Ba, Kiros
// and Hinton 2016, supplementary equations 26 to 29, with z as in gru.hpp):
//
//   r, z = sigmoid(N(W x) + N(U h_prev))       m = N(U_n h_prev)
//   n = tanh(N(W_n x) + r m)                   h = (1 - z) n + z h_prev
//
//   dn = dh (1 - z)        dz = dh (h_prev - n)        dh_prev += dh z
//   each times the slope of its gate; then dm = dn r, dr = dn m, times the slope of r
//
// The rows of r and z of a product are normalized together, those of n by themselves
// (cpu/epilogue/layer_norm.hpp).
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

struct GruNormShape {
  enum Part { hr, hz, m, xr, xz, xn, dm };
  enum Gate { r, z, n };
  static constexpr int gates = 3;
  static constexpr int parts = 7;
  static constexpr int gate_of[parts] = {r, z, n, r, z, n, 0};
  static constexpr Range input = {xr, dm};
  static constexpr int phases = 1;
  static constexpr Range phase[phases] = {{hr, xr}};
  static constexpr bool has_memory = false;
  static constexpr int activations = 2;
  static constexpr int norms = 4;
  static constexpr Range norm[norms] = {{hr, m}, {m, xr}, {xr, xn}, {xn, dm}};
  static constexpr int delta_of[parts] = {xr, xz, dm, xr, xz, xn, dm};
};

template <class Activations>
struct GruNorm : GruNormShape {
  using Shape = GruNormShape;
  Activations act;

  template <class V>
  RNNFAST_BOTH void activate(const V (&part)[parts], V (&gate)[gates]) const {
    gate[r] = act.gates.value(part[hr] + part[xr]);
    gate[z] = act.gates.value(part[hz] + part[xz]);
    gate[n] = act.candidate.value(fma(gate[r], part[m], part[xn]));
  }

  template <class V>
  RNNFAST_BOTH static State<V> forward(const V (&gate)[gates], State<V> prev) {
    return {fma(gate[z], prev.h - gate[n], gate[n]), V{}};
  }

  template <class V>
  RNNFAST_BOTH void backward(const V (&part)[parts], const V (&gate)[gates], State<V> prev,
                             State<V>& d, V (&delta)[parts]) const {
    delta[xn] = d.h * (splat<V>(1) - gate[z]) * act.candidate.slope(gate[n]);
    delta[xz] = d.h * (prev.h - gate[n]) * act.gates.slope(gate[z]);
    delta[dm] = delta[xn] * gate[r];
    delta[xr] = delta[xn] * part[m] * act.gates.slope(gate[r]);
    d.h = d.h * gate[z];
  }
};

}  // namespace
}  // namespace rnnfast
