// A fingerprint of memory: has any of it changed since?
//
//   lane <- rotate((lane ^ word) * odd)      eight lanes, every eighth word of 64 bits each
//
// A step is a bijection of the word and of the lane, and so is every step after it: where one word
// alone has changed, the fingerprint has, always. Of other changes one in 2^64 goes unseen. Words
// are taken in order, so that exchanged ones are noticed. It is made to notice mistakes, and keeps
// out nobody who means to deceive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rnnfast {

struct Memory {
  const char* data = nullptr;
  std::size_t bytes = 0;

  bool operator==(const Memory&) const = default;
};

/// Reads 8 bytes a cycle, the rate of a multiplication, with instructions that every processor has.
std::uint64_t fingerprint(const Memory& memory);

/// Of all of them, in order. Where they are large, several threads read; their number changes
/// nothing.
std::uint64_t fingerprint(const std::vector<Memory>& all);

/// What one thread reads at a time, in some ten microseconds: less is not worth another.
constexpr std::size_t fingerprint_block = std::size_t{1} << 19U;

}  // namespace rnnfast
