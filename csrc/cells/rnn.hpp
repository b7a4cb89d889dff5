// The simple recurrent network (Elman 1990):
//
//   h = f(W_ih x + b_ih + W_hh h_prev + b_hh)            f: tanh, or another
//
//   da = dh f'(a)
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

struct RnnShape {
  static constexpr int gates = 1;
  static constexpr int parts = 1;
  static constexpr int gate_of[parts] = {0};
  static constexpr Range input = {0, 1};
  static constexpr int phases = 1;
  static constexpr Range phase[phases] = {{0, 1}};
  static constexpr bool has_memory = false;
  static constexpr int activations = 1;
};

template <class Activations>
struct Rnn : RnnShape {
  using Shape = RnnShape;
  Activations act;

  template <class V>
  RNNFAST_BOTH State<V> forward(V (&gate)[parts], State<V>) const {
    gate[0] = act.candidate.value(gate[0]);
    return {gate[0], V{}};
  }

  template <class V>
  RNNFAST_BOTH void backward(const V (&gate)[parts], State<V>, State<V>& d,
                             V (&delta)[parts]) const {
    delta[0] = d.h * act.candidate.slope(gate[0]);
    d.h = V{};
  }
};

}  // namespace
}  // namespace rnnfast
