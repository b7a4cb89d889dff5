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

#include "base/threads.hpp"
#include "cells/cell.hpp"
#include "gemm/pack.hpp"
#include "seq/layout.hpp"

namespace rnnfast {
namespace {

/// As far as layouts and weights ask: the product alone.
struct Linear {
  static constexpr int parts = 1;
  static constexpr int gate_of[parts] = {0};
  static constexpr Range phase[1] = {{0, 1}};
};

/// What a cell gives is h.
struct PlainOutput {
  static constexpr bool projects = false;
};
/// What a cell gives is m.
struct ProjectedOutput {
  static constexpr bool projects = true;
};

/// W_hr as B of the forward product: [panel][H][U][N].
template <class T>
struct ProjectionWeights {
  using L = Layout<Linear, T>;

  L layout;          // of R
  index length = 0;  // H
  T* packed = nullptr;

  void place(Bump& bump) { packed = bump.take<T>(layout.groups() * L::N * length); }

  const T* panel(index panel) const { return packed + panel * L::U * L::N * length; }

  /// Packs this worker's panels from w (R, H).
  void pack(const T* w, const Worker& worker) {
    const Span own = share(layout.panels(), worker.id, worker.count);
    for (index panel = own.begin; panel < own.end; ++panel) {
      const index width = layout.width(panel);
      T* const to = packed + panel * L::U * L::N * length;
      for (index u = 0; u < width; ++u) {
        const index group = panel * L::U + u;
        pack_lanes(w + group * L::N * length, length, layout.valid(group), length, to + u * L::N,
                   width * L::N);
      }
    }
  }
};

}  // namespace
}  // namespace rnnfast
