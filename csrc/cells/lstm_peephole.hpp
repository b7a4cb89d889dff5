// Long short-term memory whose gates see the memory (Gers & Schmidhuber 2000; Gers, Schraudolph &
// Schmidhuber 2002; ONNX's P), each unit its own, with weights p:
//
//   i, f = sigmoid(W x + U h_prev + b + p c_prev)   g = tanh(W x + U h_prev + b)
//   c = f c_prev + i g
//   o = sigmoid(W x + U h_prev + b + p c)           h = o tanh(c)
//
//   do = dh tanh(c)                                 dc += dh o (1 - tanh(c)^2) + do p_o
//   di = dc g    df = dc c_prev    dg = dc i        dc_prev = dc f + di p_i + df p_f
//   each times the slope of its gate; then dp_i = di c_prev, dp_f = df c_prev, dp_o = do c
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

struct LstmPeepholeShape {
  enum Part { i, f, g, o };
  enum UnitWeight { of_i, of_f, of_o };
  static constexpr int gates = 4;
  static constexpr int parts = 4;
  static constexpr int gate_of[parts] = {0, 1, 2, 3};
  static constexpr Range input = {0, 4};
  static constexpr int phases = 1;
  static constexpr Range phase[phases] = {{0, 4}};
  static constexpr bool has_memory = true;
  static constexpr int activations = 3;
  static constexpr int unit_weights = 3;
  static constexpr int unit_weight_part[unit_weights] = {i, f, o};
  static constexpr bool meets_new_c[unit_weights] = {false, false, true};
};

template <class Activations>
struct LstmPeephole : LstmPeepholeShape {
  using Shape = LstmPeepholeShape;
  Activations act;

  template <class V>
  RNNFAST_BOTH State<V> forward(V (&gate)[parts], State<V> prev, const V (&p)[unit_weights]) const {
    gate[i] = act.gates.value(fma(p[of_i], prev.c, gate[i]));
    gate[f] = act.gates.value(fma(p[of_f], prev.c, gate[f]));
    gate[g] = act.candidate.value(gate[g]);
    const V c = memory(gate, prev);
    gate[o] = act.gates.value(fma(p[of_o], c, gate[o]));
    return {gate[o] * act.output.value(c), c};
  }

  template <class V>
  RNNFAST_BOTH void backward(const V (&gate)[parts], State<V> prev, State<V>& d, V (&delta)[parts],
                             const V (&p)[unit_weights]) const {
    const V tanh_c = act.output.value(memory(gate, prev));
    delta[o] = d.h * tanh_c * act.gates.slope(gate[o]);
    const V dc_of_h = fma(d.h * gate[o], act.output.slope(tanh_c), d.c);
    const V dc = fma(delta[o], p[of_o], dc_of_h);
    delta[i] = dc * gate[g] * act.gates.slope(gate[i]);
    delta[f] = dc * prev.c * act.gates.slope(gate[f]);
    delta[g] = dc * gate[i] * act.candidate.slope(gate[g]);
    const V dc_of_i = fma(delta[i], p[of_i], dc * gate[f]);
    d = {V{}, fma(delta[f], p[of_f], dc_of_i)};
  }

  template <class V>
  RNNFAST_BOTH static V memory(const V (&gate)[parts], State<V> prev) {
    return fma(gate[f], prev.c, gate[i] * gate[g]);
  }
};

}  // namespace
}  // namespace rnnfast
