// The simple recurrent network (Elman 1990):
//
//   h = f(W_ih x + b_ih + W_hh h_prev + b_hh)            f: tanh, relu or sigmoid
//
//   da = dh f'(a)
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

template <class Activation>
struct Rnn {
  static constexpr int gates = 1;
  static constexpr int parts = 1;
  static constexpr int gate_of[parts] = {0};
  static constexpr Range input = {0, 1};
  static constexpr int phases = 1;
  static constexpr Range phase[phases] = {{0, 1}};
  static constexpr bool has_memory = false;

  template <class V>
  static State<V> forward(V (&gate)[parts], State<V>) {
    gate[0] = Activation::value(gate[0]);
    return {gate[0], V{}};
  }

  template <class V>
  static void backward(const V (&gate)[parts], State<V>, State<V>& d, V (&delta)[parts]) {
    delta[0] = d.h * Activation::slope(gate[0]);
    d.h = V{};
  }
};

}  // namespace
}  // namespace rnnfast
