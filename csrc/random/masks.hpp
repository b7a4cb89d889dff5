// Masks: put on sequences, and drawn at random: one of two values for each element, by numbers of
// 16 bits from a generator that is a function of its counter (Philox 4x64, ten rounds: Salmon et
// al., Parallel random numbers: as easy as 1, 2, 3, 2011), so that any thread can draw any of them.
#pragma once

#include <cstdint>

#include "base/dims.hpp"
#include "base/view.hpp"

namespace rnnfast {

/// What a mask is drawn from.
struct RandomStream {
  std::uint64_t seed;  // the generator's key
  std::uint64_t kind;  // its counter's upper words
  std::uint64_t part;
};

/// mask[i] = number i < level ? below : above. Numbers are the quarters of words, and the words
/// those of blocks 1, 2, ..., each least significant first.
template <class T>
void draw_mask(const RandomStream& stream, std::uint32_t level, T below, T above, T* mask,
               index count, int threads);

/// to (T, B, width), dense, = x mask. The mask is dense, with a step stride of 0 if all steps share
/// it; `to` may be x.
template <class T>
void apply_mask(const Dims& dims, Sequence<const T> x, Sequence<const T> mask, T* to, int threads);

}  // namespace rnnfast
