// What a pass is called with: sizes, views of the caller's arrays, nothing owned.
#pragma once

#include "base/dims.hpp"
#include "base/float16.hpp"
#include "base/view.hpp"
#include "call/weights.hpp"
#include "math/activation_choice.hpp"

namespace rnnfast {

/// States h (B, R) and c (B, H), C-contiguous, or null where absent.
template <class T>
struct States {
  T* h = nullptr;
  T* c = nullptr;
};

/// What a backward pass gives; null where it is not wanted.
template <class T>
struct Gradients {
  Sequence<T> x;  // (T, B, I)
  WeightSet<T> weights;
  States<T> initial;
  bool of_sequences = false;  // those of weights are (B, ...): one of each sequence
};

/// A private row: which of the caller's sequences it holds, and which steps of it there are.
/// cpu/plan/sequences.hpp makes them.
struct SequenceRow {
  index sequence;  // b: its row in the caller's arrays
  index rank;      // among all, longest first: its place in sums over sequences
  index first;     // it takes the steps [first, first + length) of x, y, dx
  index length;
};

/// What becomes of states between steps, beside the cell's equations; null: nothing.
template <class T>
struct Masks {
  const T* recurrent = nullptr;  // (B, R): factors of h where it enters the recurrent product
  Sequence<const T> kept_h;      // (T, B, R): how much of the state before it a step keeps
  Sequence<const T> kept_c;      // (T, B, H): the same, where the cell has one; there if kept_h is
};

template <class T>
struct ForwardCall {
  Dims dims;
  Sequence<const T> x;      // (T, B, I)
  States<const T> initial;  // null: zero
  Sequence<T> y;            // (T, B, R)
  States<T> last;
  const SequenceRow* rows;      // [B]; null: row b is sequence b, and takes all steps
  Sequence<const bool> resets;  // (T, B): h and c are zero before this step; null: nowhere
  Masks<ScalarOf<T>> masks = {};
  const ActivationChoice* activations = nullptr;  // [3] of the cells that let a call choose
  const index* state_rows =
      nullptr;  // [B]: which row of both states is a sequence's; null: its own
};

template <class T>
struct BackwardCall {
  Dims dims;
  Sequence<const T> x;
  WeightSet<const T> weights;
  Sequence<const T> dy;    // null: zero
  States<const T> d_last;  // null: zero
  Gradients<T> out;        // null: not wanted
  const SequenceRow* rows;
  Sequence<const bool> resets;
  Masks<ScalarOf<T>> masks;
  index truncate;  // no gradient passes into a step whose number is a multiple of this; 0: all do
  const ActivationChoice* activations = nullptr;
};

template <class T>
struct TraceCall {
  WeightSet<const T> weights;
  Sequence<T> gates;  // (T, B, G*H)
  Sequence<T> c;      // (T, B, H), where the cell has one
  const SequenceRow* rows;
  const ActivationChoice* activations;
};

}  // namespace rnnfast
