// h as a projection of what the cell gives (LSTMP: Sak, Senior and Beaufays 2014):
//
//   m = what the cell gives        h = W_hr m             w_hr (R, H), without a bias
//   dm = dh W_hr                   dW_hr = sum over t descending, b ascending of dh[t, b]^T m[t, b]
//
// A call has it or not. If so, a step's epilogue leaves m, H wide, in a private row in place of h,
// and one more product makes h of it, R wide, which all else goes by: y, the operand of the first
// phase and its weights, resets, masks. Going backwards dh of a chunk's steps, y's share included,
// lies in slots like any deltas, since h is a cell of one part (`Linear`) with no activation: dm
// and dW_hr are then made by what makes dh, and other weight gradients, of deltas.
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

/// What a cell gives is h.
struct PlainOutput {
  static constexpr bool projects = false;
};
/// What a cell gives is m.
struct ProjectedOutput {
  static constexpr bool projects = true;
};

}  // namespace
}  // namespace rnnfast
