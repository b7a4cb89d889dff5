// Masks drawn on the device, with the bits that random/masks.cpp draws on the host; a thread makes
// a block of numbers.
//
//   mask[i] = number i < level ? below : above        mask[places[i]] = value
//
// Where the seed lies on the device, so that a graph draws others when it is played again, no host
// can draw what a rate has between two levels: each element has a word for that, of another half.
//
//   mask[i] = number i < level or word i < rest ? below : above
#pragma once

#include "api/device.hpp"
#include "cuda/general/device.hpp"
#include "random/philox.hpp"

namespace rnnfast {
namespace {

template <class T>
struct DrawMask {
  RandomStream stream;
  std::uint32_t level;
  T below;
  T above;
  const std::uint64_t* seed;  // null: the stream's
  std::uint64_t rest;
  index count;
  T* to;

  index blocks() const { return ceil_div(count, numbers_per_block); }

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, ceil_div(count, numbers_per_block));
    if (!own.is_there()) return;
    RandomStream from = stream;
    if (seed) from.seed = m.load(seed);
    RandomStream other = from;
    other.half = 1;
    const auto block = static_cast<std::uint64_t>(own.unit);
    std::uint64_t words[words_per_block];
    std::uint64_t rests[words_per_block] = {};
    philox(from, block + 1, words);
    RNNFAST_UNROLL(4)
    for (int w = 0; w < words_per_block; ++w) {
      if (rest) philox(other, block * words_per_block + static_cast<std::uint64_t>(w) + 1, rests);
      RNNFAST_UNROLL(4)
      for (int i = 0; i < numbers_per_word; ++i) {
        const index at = own.unit * numbers_per_block + w * numbers_per_word + i;
        const bool is_below = quarter(words[w], i) < level || rests[i] < rest;
        if (at < count) m.store(to + at, is_below ? below : above);
      }
    }
  }
};

template <class T>
struct PutElements {
  T value;
  index count;
  const index* places;
  T* to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, count);
    if (own.is_there()) m.store(to + m.load(places + own.unit), value);
  }
};

/// Those of `DeviceStream`, on the device that passes run on.
template <class Device>
inline void draw_mask(Device& device, ScalarType scalar, const DrawnMask& mask, index count,
                      void* to) {
  with_scalar(scalar, [&](auto zero) {
    using T = decltype(zero);
    const DrawMask<T> kernel = {
        mask.stream, mask.level, static_cast<T>(mask.below), static_cast<T>(mask.above), mask.seed,
        mask.rest,   count,      static_cast<T*>(to)};
    if (count > 0) run_elements(device, 1, kernel.blocks(), kernel);
  });
}

template <class Device>
inline void put(Device& device, ScalarType scalar, double value, const index* places, index count,
                void* to) {
  with_scalar(scalar, [&](auto zero) {
    using T = decltype(zero);
    const PutElements<T> kernel = {static_cast<T>(value), count, places, static_cast<T*>(to)};
    if (count > 0) run_elements(device, 1, count, kernel);
  });
}

}  // namespace
}  // namespace rnnfast
