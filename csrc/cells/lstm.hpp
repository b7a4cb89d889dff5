// Long short-term memory (Hochreiter & Schmidhuber 1997), with what becomes of the memory before a
// step in one of three ways:
//
//   i, f, o = sigmoid(W x + U h_prev + b)      g = tanh(W x + U h_prev + b)
//   own       c = f c_prev + i g               a forget gate f (Gers et al. 2000)
//   coupled   c = (1 - i) c_prev + i g         one gate for both (Greff et al. 2017, CIFG; ONNX's
//                                              input_forget)
//   none      c = c_prev + i g                 as first published
//   h = o tanh(c)
//
//   dc += dh o (1 - tanh(c)^2)                 do = dh tanh(c)                dg = dc i
//   own       di = dc g                        df = dc c_prev                 dc_prev = dc f
//   coupled   di = dc (g - c_prev)                                            dc_prev = dc (1 - i)
//   none      di = dc g                                                       dc_prev = dc
//   each times the slope of its gate
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

enum class Forget { own, coupled, none };

/// i f g o, or i g o.
template <int G>
struct LstmShape {
  enum Part { i, f, g = G - 2, o };  // of three gates there is no f
  static constexpr int gates = G;
  static constexpr int parts = G;
  static constexpr int gate_of[4] = {0, 1, 2, 3};
  static constexpr Range input = {0, G};
  static constexpr int phases = 1;
  static constexpr Range phase[phases] = {{0, G}};
  static constexpr bool has_memory = true;
  static constexpr int activations = 3;
};

template <class Activations, Forget forget>
struct Lstm : LstmShape<forget == Forget::own ? 4 : 3> {
  using Shape = LstmShape<forget == Forget::own ? 4 : 3>;
  using Shape::i, Shape::f, Shape::g, Shape::o, Shape::parts;
  Activations act;

  template <class V>
  RNNFAST_BOTH State<V> forward(V (&gate)[parts], State<V> prev) const {
    gate[i] = act.gates.value(gate[i]);
    if constexpr (forget == Forget::own) gate[f] = act.gates.value(gate[f]);
    gate[g] = act.candidate.value(gate[g]);
    gate[o] = act.gates.value(gate[o]);
    const V c = memory(gate, prev);
    return {gate[o] * act.output.value(c), c};
  }

  template <class V>
  RNNFAST_BOTH void backward(const V (&gate)[parts], State<V> prev, State<V>& d,
                             V (&delta)[parts]) const {
    const V tanh_c = act.output.value(memory(gate, prev));
    const V dc = fma(d.h * gate[o], act.output.slope(tanh_c), d.c);
    const V in = forget == Forget::coupled ? gate[g] - prev.c : gate[g];
    const V stays = forget == Forget::own       ? gate[f]
                    : forget == Forget::coupled ? splat<V>(1) - gate[i]
                                                : splat<V>(1);
    delta[o] = d.h * tanh_c * act.gates.slope(gate[o]);
    delta[i] = dc * in * act.gates.slope(gate[i]);
    if constexpr (forget == Forget::own) delta[f] = dc * prev.c * act.gates.slope(gate[f]);
    delta[g] = dc * gate[i] * act.candidate.slope(gate[g]);
    d = {V{}, dc * stays};
  }

  // c, also in the backward pass: three operations are less than a vector from memory.
  template <class V>
  RNNFAST_BOTH static V memory(const V (&gate)[parts], State<V> prev) {
    if constexpr (forget == Forget::own) return fma(gate[f], prev.c, gate[i] * gate[g]);
    if constexpr (forget == Forget::coupled) return fma(gate[i], gate[g] - prev.c, prev.c);
    if constexpr (forget == Forget::none) return fma(gate[i], gate[g], prev.c);
  }
};

}  // namespace
}  // namespace rnnfast
