// A fingerprint of some of an array: cheap beside any call that reads the array once, and enough to
// notice what is written over as a whole, by an optimizer or the next batch.
//
//   up to 4 KiB      all of it
//   else             32 lines of 64 bytes, the first and the last among them, equally far apart
//
// An array is rows of adjacent bytes, of which lines may take several: how its memory is laid out
// changes nothing.
#pragma once

#include <array>

#include "base/dims.hpp"
#include "base/fingerprint.hpp"

namespace rnnfast {

/// Rows of so many bytes each, at any strides; a single one where all lies in one piece.
struct Rows {
  static constexpr std::size_t most_axes = 3;

  const char* data = nullptr;
  std::size_t bytes = 0;  // of a row
  std::array<std::size_t, most_axes> counts = {1, 1, 1};
  std::array<index, most_axes> strides = {};  // in bytes

  std::size_t count() const { return counts[0] * counts[1] * counts[2]; }
  const char* operator[](std::size_t row) const;
};

std::uint64_t sampled_fingerprint(const Rows& rows);

}  // namespace rnnfast
