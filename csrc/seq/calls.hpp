// What a pass is called with: sizes, views of the caller's arrays, nothing owned.
#pragma once

#include "base/dims.hpp"
#include "base/view.hpp"

namespace rnnfast {

template <class T>
struct ForwardCall {
  Dims dims;
  Sequence<const T> x;      // (T, B, I)
  States<const T> initial;  // (B, H); null: zero
  Sequence<T> y;            // (T, B, H)
  States<T> last;           // (B, H)
};

template <class T>
struct BackwardCall {
  Dims dims;
  Sequence<const T> x;
  Weights<T> weights;
  Sequence<const T> dy;    // null: zero
  States<const T> d_last;  // null: zero
  Gradients<T> out;        // null: not wanted
};

}  // namespace rnnfast
