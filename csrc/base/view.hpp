// Views of arrays that belong to someone else. A sequence is (T, B, width) with unit stride on its
// last axis and any strides, also zero or negative, on the other two: batch-first data, reversed
// time and broadcast gradients are all views. Strides count elements.
#pragma once

#include "base/dims.hpp"

namespace rnnfast {

template <class T>
struct Sequence {
  T* data = nullptr;  // null: absent
  index step_stride = 0;
  index row_stride = 0;
};

/// Weights and biases in the public layout: w_ih (G*H, I), w_hh (G*H, R), biases (G*H,) or null,
/// w_hr (R, H) or null, where R is H; those that see c, peephole (3*H,) or null. layer_norm, where
/// the cell normalizes: gains of the input and of the recurrent product (G*H,) each, then, where it
/// normalizes c, its gain and bias (H,).
template <class T>
struct Weights {
  const T* w_ih;
  const T* w_hh;
  const T* b_ih;
  const T* b_hh;
  const T* w_hr = nullptr;
  const T* peephole = nullptr;
  const T* layer_norm = nullptr;
};

/// States h (B, R) and c (B, H), C-contiguous, or null where absent.
template <class T>
struct States {
  T* h = nullptr;
  T* c = nullptr;
};

/// The gradients a caller wants; null where unwanted.
template <class T>
struct Gradients {
  Sequence<T> x;  // (T, B, I)
  T* w_ih = nullptr;
  T* w_hh = nullptr;
  T* b_ih = nullptr;
  T* b_hh = nullptr;
  T* h0 = nullptr;
  T* c0 = nullptr;
  T* w_hr = nullptr;
  T* peephole = nullptr;
  T* layer_norm = nullptr;
};

}  // namespace rnnfast
