// What a cell is: data that says which parts it has and which products feed them, and pure
// functions of one vector of hidden units. It never loads, stores, or asks about threads or
// layouts.
//
// A part is one vector of N units in a cell's slot: first a pre-activation, then a gate, in the
// backward pass a delta (dL/d pre-activation). A cell says
//
//   gates                 G, row blocks of its weights
//   parts                 P, vectors in a slot
//   gate_of[P]            the weight rows that feed a part
//   input                 the parts that W_ih x feeds; dx and dW_ih come from their deltas
//   phases, phase[]       the parts that W_hh feeds, phase by phase. The first phase multiplies the
//                         previous h, a later one the operand that `stage` makes after the one
//                         before
//   has_memory            whether there is a c beside h
//
//   forward(gate, prev)                        gates in place; returns the state after the step
//   backward(gate, prev, d, delta)             d: dL/d(state after the step), on return dL/d(state
//                                              before it), as far as no weight is involved
//   stage<Phase>(gate, h_prev)                 the operand of the next phase
//   unstage<Phase>(gate, h_prev, d_operand, dh, delta)      the same, backwards
//
// Range and State are all the vocabulary there is.
#pragma once

#include "math/activations.hpp"

namespace rnnfast {
namespace {

/// Parts [begin, end), adjacent in the slot.
struct Range {
  int begin;
  int end;
  constexpr int count() const { return end - begin; }
  constexpr bool has(int part) const { return begin <= part && part < end; }
};

template <class V>
struct State {
  V h;
  V c;  // unused where the cell has no memory
};

}  // namespace
}  // namespace rnnfast
