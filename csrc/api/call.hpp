// What a caller gives, and where it wants the results: views of arrays that are its own, of the
// scalar type that goes beside them. Sizes stand in base/dims.hpp, what each view is of, in
// call/passes.hpp.
#pragma once

#include "call/passes.hpp"

namespace rnnfast {

/// What is known of a call before its data.
struct CallSizes {
  Dims dims;
  bool masks_h = false;  // whether h is masked where it enters the recurrent product
};

/// One layer in one direction, forwards. T, B, I, H and R are at least 1.
struct Call {
  Dims dims;
  Sequence<const void> x;        // (T, B, I)
  States<const void> initial;    // null: zero
  Sequence<void> y;              // (T, B, R)
  States<void> last;             // null: not wanted
  const index* spans = nullptr;  // (B, 2): the steps [begin, end) that each sequence takes, one of
                                 // them at least; null: all of all
  Sequence<const bool> resets = {};
  Masks<void> masks = {};
  const index* state_rows = nullptr;  // (B,): which row of both states is a sequence's; null: its
                                      // own

  CallSizes sizes() const { return {dims, masks.recurrent != nullptr}; }
};

/// The same backwards, from what its forward pass was given: all but the tape.
struct Pullback {
  Sequence<const void> x;
  WeightSet<const void> weights;
  Sequence<const bool> resets = {};
  Masks<void> masks = {};
  index truncate = 0;  // no gradient passes into a step whose number is a multiple; 0: all do
  Sequence<const void> dy = {};
  States<const void> d_last = {};
  Gradients<void> out = {};
};

/// Where the gates of a pass are written, and its c.
struct TraceTo {
  WeightSet<const void> weights;
  Sequence<void> gates;  // (T, B, G*H)
  Sequence<void> c;      // (T, B, H), where the cell has one
};

/// Has a call of a single step write the states after it, and nothing else.
inline void end_step(Call& call, States<void> after) {
  call.y = {after.h, 0, outputs_of(call.dims)};
  call.last = {nullptr, after.c};
}

}  // namespace rnnfast
