// Long short-term memory with layer normalization (Ba, Kiros and Hinton 2016, equations 20 to 22):
//
//   i, f, o = sigmoid(N(U h_prev) + N(W x))    g = tanh(N(U h_prev) + N(W x))
//   c = f c_prev + i g                         h = o tanh(N(c))
//
//   dm = dh o (1 - tanh(m)^2) with m = N(c)    do = dh tanh(m)
//   dc += dm, back through N
//   di = dc g    df = dc c_prev    dg = dc i   dc_prev = dc f
//   each times the slope of its gate
//
// A product of all gates' rows is normalized at once, c over its units
// (cpu/epilogue/layer_norm.hpp).
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

struct LstmNormShape {
  enum Part { hi, hf, hg, ho, xi, xf, xg, xo, m };
  enum Gate { i, f, g, o };
  static constexpr int gates = 4;
  static constexpr int parts = 9;
  static constexpr int gate_of[parts] = {i, f, g, o, i, f, g, o, 0};
  static constexpr Range input = {xi, m};
  static constexpr int phases = 1;
  static constexpr Range phase[phases] = {{hi, xi}};
  static constexpr bool has_memory = true;
  static constexpr int activations = 3;
  static constexpr int norms = 2;
  static constexpr Range norm[norms] = {{hi, xi}, {xi, m}};
  static constexpr int delta_of[parts] = {xi, xf, xg, xo, xi, xf, xg, xo, m};
  static constexpr int memory_part = m;
};

template <class Activations>
struct LstmNorm : LstmNormShape {
  using Shape = LstmNormShape;
  Activations act;

  template <class V>
  RNNFAST_BOTH void activate(const V (&part)[parts], V (&gate)[gates]) const {
    gate[i] = act.gates.value(part[hi] + part[xi]);
    gate[f] = act.gates.value(part[hf] + part[xf]);
    gate[g] = act.candidate.value(part[hg] + part[xg]);
    gate[o] = act.gates.value(part[ho] + part[xo]);
  }

  template <class V>
  RNNFAST_BOTH static V memory(const V (&gate)[gates], State<V> prev) {
    return fma(gate[f], prev.c, gate[i] * gate[g]);
  }

  template <class V>
  RNNFAST_BOTH V output(V gate_o, V normalized) const {
    return gate_o * act.output.value(normalized);
  }

  template <class V>
  RNNFAST_BOTH void backward_output(const V (&gate)[gates], V normalized, V dh,
                                    V (&delta)[parts]) const {
    const V tanh_m = act.output.value(normalized);
    delta[m] = dh * gate[o] * act.output.slope(tanh_m);
    delta[xo] = dh * tanh_m * act.gates.slope(gate[o]);
  }

  template <class V>
  RNNFAST_BOTH void backward(const V (&)[parts], const V (&gate)[gates], State<V> prev, State<V>& d,
                             V (&delta)[parts]) const {
    delta[xi] = d.c * gate[g] * act.gates.slope(gate[i]);
    delta[xf] = d.c * prev.c * act.gates.slope(gate[f]);
    delta[xg] = d.c * gate[i] * act.candidate.slope(gate[g]);
    d = {V{}, d.c * gate[f]};
  }
};

}  // namespace
}  // namespace rnnfast
