// Long short-term memory as first published (Hochreiter & Schmidhuber 1997), without a forget gate:
//
//   i, o = sigmoid(W x + U h_prev + b)         g = tanh(W x + U h_prev + b)
//   c = c_prev + i g                           h = o tanh(c)
//
//   dc += dh o (1 - tanh(c)^2)                 do = dh tanh(c)
//   di = dc g    dg = dc i                     dc_prev = dc
//   each times the slope of its gate
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

template <class Activations>
struct LstmNoForget {
  enum Part { i, g, o };
  static constexpr int gates = 3;
  static constexpr int parts = 3;
  static constexpr int gate_of[parts] = {0, 1, 2};
  static constexpr Range input = {0, 3};
  static constexpr int phases = 1;
  static constexpr Range phase[phases] = {{0, 3}};
  static constexpr bool has_memory = true;
  static constexpr int activations = 3;
  Activations act;

  template <class V>
  State<V> forward(V (&gate)[parts], State<V> prev) const {
    gate[i] = act.gates.value(gate[i]);
    gate[g] = act.candidate.value(gate[g]);
    gate[o] = act.gates.value(gate[o]);
    const V c = memory(gate, prev);
    return {gate[o] * act.output.value(c), c};
  }

  template <class V>
  void backward(const V (&gate)[parts], State<V> prev, State<V>& d, V (&delta)[parts]) const {
    const V tanh_c = act.output.value(memory(gate, prev));
    const V dc = fma(d.h * gate[o], act.output.slope(tanh_c), d.c);
    delta[o] = d.h * tanh_c * act.gates.slope(gate[o]);
    delta[i] = dc * gate[g] * act.gates.slope(gate[i]);
    delta[g] = dc * gate[i] * act.candidate.slope(gate[g]);
    d = {V{}, dc};
  }

  template <class V>
  static V memory(const V (&gate)[parts], State<V> prev) {
    return fma(gate[i], gate[g], prev.c);
  }
};

}  // namespace
}  // namespace rnnfast
