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
// A product of all gates' rows is normalized at once, c over its units (seq/layer_norm.hpp).
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

struct LstmNorm {
  enum Part { hi, hf, hg, ho, xi, xf, xg, xo, m };
  enum Gate { i, f, g, o };
  static constexpr int gates = 4;
  static constexpr int parts = 9;
  static constexpr int gate_of[parts] = {i, f, g, o, i, f, g, o, 0};
  static constexpr Range input = {xi, m};
  static constexpr int phases = 1;
  static constexpr Range phase[phases] = {{hi, xi}};
  static constexpr bool has_memory = true;

  static constexpr int norms = 2;
  static constexpr Range norm[norms] = {{hi, xi}, {xi, m}};
  static constexpr int delta_of[parts] = {xi, xf, xg, xo, xi, xf, xg, xo, m};
  static constexpr int memory_part = m;

  template <class V>
  static void activate(const V (&part)[parts], V (&gate)[gates]) {
    gate[i] = sigmoid(part[hi] + part[xi]);
    gate[f] = sigmoid(part[hf] + part[xf]);
    gate[g] = tanh(part[hg] + part[xg]);
    gate[o] = sigmoid(part[ho] + part[xo]);
  }

  template <class V>
  static V memory(const V (&gate)[gates], State<V> prev) {
    return fma(gate[f], prev.c, gate[i] * gate[g]);
  }

  template <class V>
  static V output(V gate_o, V normalized) {
    return gate_o * tanh(normalized);
  }

  template <class V>
  static void backward_output(const V (&gate)[gates], V normalized, V dh, V (&delta)[parts]) {
    const V tanh_m = tanh(normalized);
    delta[m] = dh * gate[o] * Tanh::slope(tanh_m);
    delta[xo] = dh * tanh_m * Sigmoid::slope(gate[o]);
  }

  template <class V>
  static void backward(const V (&)[parts], const V (&gate)[gates], State<V> prev, State<V>& d,
                       V (&delta)[parts]) {
    delta[xi] = d.c * gate[g] * Sigmoid::slope(gate[i]);
    delta[xf] = d.c * prev.c * Sigmoid::slope(gate[f]);
    delta[xg] = d.c * gate[i] * Tanh::slope(gate[g]);
    d = {V{}, d.c * gate[f]};
  }
};

}  // namespace
}  // namespace rnnfast
