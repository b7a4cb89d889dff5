// Masks: put on sequences, and drawn at random: one of two values for each element, by numbers of
// 16 bits that depend on their place alone (philox.hpp).
#pragma once

#include <cstdint>

#include "base/dims.hpp"
#include "base/view.hpp"
#include "random/philox.hpp"

namespace rnnfast {

/// mask[i] = number i < level ? below : above.
template <class T>
void draw_mask(const RandomStream& stream, std::uint32_t level, T below, T above, T* mask,
               index count, int threads);

/// to (T, B, width), dense, = x mask. The mask is dense, with a step stride of 0 if all steps share
/// it; `to` may be x.
template <class T>
void apply_mask(const Dims& dims, Sequence<const T> x, Sequence<const T> mask, T* to, int threads);

}  // namespace rnnfast
