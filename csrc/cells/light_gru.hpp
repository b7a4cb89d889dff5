// The light gated recurrent unit (Ravanelli et al. 2018), without its batch normalization:
//
//   z = sigmoid(W x + U h_prev + b)            n = relu(W x + U h_prev + b)
//   h = z h_prev + (1 - z) n
//
//   dn = dh (1 - z)        dz = dh (h_prev - n)        dh_prev += dh z
//   each times the slope of its gate
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

struct LightGruShape {
  enum Part { z, n };
  static constexpr int gates = 2;
  static constexpr int parts = 2;
  static constexpr int gate_of[parts] = {0, 1};
  static constexpr Range input = {0, 2};
  static constexpr int phases = 1;
  static constexpr Range phase[phases] = {{0, 2}};
  static constexpr bool has_memory = false;
  static constexpr int activations = 2;
};

template <class Activations>
struct LightGru : LightGruShape {
  using Shape = LightGruShape;
  Activations act;

  template <class V>
  RNNFAST_BOTH State<V> forward(V (&gate)[parts], State<V> prev) const {
    gate[z] = act.gates.value(gate[z]);
    gate[n] = act.candidate.value(gate[n]);
    // Not n + z (h_prev - n): n may be infinite.
    return {fma(gate[z], prev.h, (splat<V>(1) - gate[z]) * gate[n]), V{}};
  }

  template <class V>
  RNNFAST_BOTH void backward(const V (&gate)[parts], State<V> prev, State<V>& d,
                             V (&delta)[parts]) const {
    delta[z] = d.h * (prev.h - gate[n]) * act.gates.slope(gate[z]);
    delta[n] = d.h * (splat<V>(1) - gate[z]) * act.candidate.slope(gate[n]);
    d.h = d.h * gate[z];
  }
};

}  // namespace
}  // namespace rnnfast
