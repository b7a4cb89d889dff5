// Where a sequence starts anew: before a step that is reset, h and c of its row are zero, and going
// backwards no gradient passes from there.
#pragma once

#include "call/passes.hpp"
#include "simd/vec.hpp"

namespace rnnfast {
namespace {

/// Whether a row's `step`, counted from its own first one, is reset.
inline bool is_reset(const Sequence<const bool>& resets, const SequenceRow& row, index step) {
  return resets.data &&
         resets.data[(row.first + step) * resets.step_stride + row.sequence * resets.row_stride];
}

/// Zeros the vectors `groups` of a private row.
template <class T>
inline void clear_groups(T* row, Span groups) {
  for (index group = groups.begin; group < groups.end; ++group) {
    store(row + group * lanes<T>, Vec<T>{});
  }
}

}  // namespace
}  // namespace rnnfast
