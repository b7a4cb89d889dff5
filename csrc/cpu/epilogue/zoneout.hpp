// Zoneout (Krueger et al. 2016): a step keeps some of the state before it,
//
//   h = d h_prev + (1 - d) h~                  c likewise, with a d of its own
//   dh~ = (1 - d) dh                           dh_prev += d dh
//
// h~, c~ being what the cell gives. In training d is drawn, 0 or 1 for each number; at inference it
// is how often that is 1.
#pragma once

#include "call/passes.hpp"
#include "cells/cell.hpp"
#include "cpu/layout/layout.hpp"

namespace rnnfast {
namespace {

/// The masks of h alone, or of c, where they do not lie side by side (cpu/epilogue/projection.hpp).
template <class T>
inline Masks<T> of_h(const Masks<T>& masks) {
  return {nullptr, masks.kept_h, {}};
}
template <class T>
inline Masks<T> of_c(const Masks<T>& masks) {
  return {nullptr, {}, masks.kept_c};
}

/// The plain step.
template <class T>
struct NoZoneout {
  using V = Vec<T>;
  NoZoneout(const Masks<T>&, const SequenceRow&, index) {}

  template <class L>
  State<V> after(State<V>, State<V> state, const L&, index) const {
    return state;
  }
  template <class L>
  State<V> split(State<V>&, const L&, index) const {
    return {V{}, V{}};
  }
  void add(State<V>&, State<V>) const {}
};

/// One row at one step of it; of h, of c, or of both.
template <class T>
class Zoneout {
  using V = Vec<T>;

 public:
  Zoneout(const Masks<T>& masks, const SequenceRow& row, index step)
      : h_(at(masks.kept_h, row, step)), c_(at(masks.kept_c, row, step)) {}

  template <class L>
  State<V> after(State<V> prev, State<V> state, const L& layout, index group) const {
    return {h_ ? mixed(h_, prev.h, state.h, layout, group) : state.h,
            c_ ? mixed(c_, prev.c, state.c, layout, group) : state.c};
  }

  /// Leaves in d, the gradient of the state after the step, that of what the cell gave; returns
  /// what passes it by, for `add`.
  template <class L>
  State<V> split(State<V>& d, const L& layout, index group) const {
    return {h_ ? pass(h_, d.h, layout, group) : V{}, c_ ? pass(c_, d.c, layout, group) : V{}};
  }
  void add(State<V>& d, State<V> passed) const {
    if (h_) d.h = d.h + passed.h;
    if (c_) d.c = d.c + passed.c;
  }

 private:
  static const T* at(const Sequence<const T>& kept, const SequenceRow& row, index step) {
    if (!kept.data) return nullptr;
    return kept.data + (row.first + step) * kept.step_stride + row.sequence * kept.row_stride;
  }

  template <class L>
  static V mixed(const T* kept, V prev, V state, const L& layout, index group) {
    const V d = load_group(kept, layout, group);
    return fma(d, prev, (splat<V>(1) - d) * state);
  }

  template <class L>
  static V pass(const T* kept, V& d_state, const L& layout, index group) {
    const V passed = load_group(kept, layout, group) * d_state;
    d_state = d_state - passed;
    return passed;
  }

  const T* h_;
  const T* c_;
};

}  // namespace
}  // namespace rnnfast
