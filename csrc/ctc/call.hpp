// What the loss of connectionist temporal classification is called with: T steps, B rows
// (sequences), C classes, one of which is the blank, and a target of S_b labels for each row.
#pragma once

#include "base/view.hpp"

namespace rnnfast {

template <class T>
struct CtcCall {
  index steps;
  index rows;
  index classes;
  index blank;
  Sequence<const T> x;   // (T, B, C) logits; those of steps past a row's length are not read
  const index* lengths;  // (B,) steps of each row
  const index* labels;   // of all targets, one target after the other
  const index* starts;   // (B + 1,) where the target of each row begins, and the last one ends
  T* losses;             // (B,)
  Sequence<T> gradient;  // (T, B, C) of each row's loss by its logits, or absent
};

}  // namespace rnnfast
