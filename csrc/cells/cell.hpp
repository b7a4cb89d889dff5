// What a cell is: its shape, data that says which parts it has and which products feed them, and
// pure functions of one vector of hidden units. It never loads, stores, or asks about threads or
// layouts. Passes are compiled once a shape; what they call of a cell, once a cell.
//
// A part is one vector of N units in a cell's slot: first a pre-activation, then a gate, in the
// backward pass a delta (dL/d pre-activation). A shape says
//
//   gates                 G, row blocks of its weights
//   parts                 P, vectors in a slot
//   gate_of[P]            the weight rows that feed a part
//   input                 the parts that W_ih x feeds; dx and dW_ih come from their deltas
//   phases, phase[]       the parts that W_hh feeds, phase by phase. The first phase multiplies the
//                         previous h, a later one the operand that `stage` makes after the one
//                         before
//   has_memory            whether there is a c beside h
//   activations           how many it has, in ONNX's order: of the gates, the candidate, the
//                         output; where there is one, the candidate's
//
// and a cell of that `Shape`
//
//   forward(gate, prev)                        gates in place; returns the state after the step
//   backward(gate, prev, d, delta)             d: dL/d(state after the step), on return dL/d(state
//                                              before it), as far as no weight is involved
//   stage<Phase>(gate, h_prev)                 the operand of the next phase
//   unstage<Phase>(gate, h_prev, d_operand, dh, delta)      the same, backwards
//
// A cell is a template over its activations, `act`, which a call has chosen or which never change.
// If a cell has weights beside the matrices, a number for each unit, its shape says
//
//   unit_weights          how many
//   unit_weight_part[]    the part whose pre-activation each is in, beside c
//   meets_new_c[]         whether that is the c after the step
//
// and its functions take them after the others; `memory(gate, prev)` gives the c after the step.
//
// A cell with layer normalization has parts of their own for either product. They are normalized
// when the products are complete, scaled and shifted, and come to it as `part`:
//
//   norms, norm[]       parts that are normalized together, over their units
//   delta_of[P]         the part that keeps dL/d part until its gradients have been summed
//   memory_part         where normalized c is kept, if it is normalized on its way to h
//   activate(part, gate)                       gates from parts
//   forward(gate, prev), or memory(gate, prev) and output(gate, normalized c)
//   backward(part, gate, prev, d, delta), and before it backward_output(gate, normalized c, dh,
//                       delta)
//
// Range, State and the kinds of activations are all the vocabulary there is.
#pragma once

#include "math/chosen_activation.hpp"

namespace rnnfast {
namespace {

/// Parts [begin, end), adjacent in the slot.
struct Range {
  int begin;
  int end;
  RNNFAST_BOTH constexpr int count() const { return end - begin; }
  RNNFAST_BOTH constexpr bool has(int part) const { return begin <= part && part < end; }
};

template <class V>
struct State {
  V h;
  V c;  // unused where the cell has no memory
};

template <class Shape>
concept Normalized = requires { Shape::norms; };

template <class Shape>
concept NormalizesMemory = requires { Shape::memory_part; };

/// Whether a call may project what the cell gives (cpu/epilogue/projection.hpp).
template <class Shape>
concept Projectable = Shape::has_memory && !Normalized<Shape>;

/// What a row of slots is scaled by when it is normalized.
template <class Shape>
RNNFAST_BOTH constexpr int scales() {
  if constexpr (NormalizesMemory<Shape>) {
    return Shape::norms + 1;
  } else if constexpr (Normalized<Shape>) {
    return Shape::norms;
  } else {
    return 0;
  }
}

/// Rows, of H numbers, of the weights of its norms: gains of both products, gain and bias of c.
template <class Shape>
RNNFAST_BOTH constexpr int norm_rows() {
  if constexpr (Normalized<Shape>) {
    return 2 * Shape::gates + (NormalizesMemory<Shape> ? 2 : 0);
  } else {
    return 0;
  }
}

/// The activations of a cell, those that it needs: ONNX's f, g and h.
template <class Gates, class Candidate = Gates, class Output = Candidate>
struct Fixed {
  Gates gates;
  Candidate candidate;
  Output output;
  RNNFAST_BOTH explicit Fixed(const ActivationChoice*) : gates(), candidate(), output() {}
};
using Usual = Fixed<Sigmoid, Tanh>;

/// Those of a call.
template <class T>
struct ChosenActivations {
  Chosen<T> gates;
  Chosen<T> candidate;
  Chosen<T> output;
  RNNFAST_BOTH explicit ChosenActivations(const ActivationChoice* of)
      : gates(of[0]), candidate(of[1]), output(of[2]) {}
};

}  // namespace
}  // namespace rnnfast
