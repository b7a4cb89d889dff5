// h as a projection of what a cell gives, m (cpu/epilogue/projection.hpp has the equations), before
// and after its products.
#pragma once

#include "cuda/step_rows.hpp"

namespace rnnfast {
namespace {

/// Leaves h of a step, R wide.
template <class Stored>
struct FinishProjection {
  using T = ScalarOf<Stored>;
  index outputs;
  const T* product;  // m W_hr^T
  const T* before;   // h
  StateAfter<Stored> after;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, outputs);
    if (!own.is_there()) return;
    after.leave_h(m, own, after.rows.of(m, own.row), m.load(before + own.at),
                  m.load(product + own.at));
  }
};

/// dL/dh of a step, for its products; leaves what passes the projection by.
template <class Stored>
struct ProjectionBackward {
  using T = ScalarOf<Stored>;
  index outputs;
  StateGradients<Stored> gradients;
  Stored* d_product;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, outputs);
    if (!own.is_there()) return;
    T passed;
    store_as(m, d_product + own.at, gradients.take_h(m, own, passed));
    m.store(gradients.d.h + own.at, passed);
  }
};

}  // namespace
}  // namespace rnnfast
