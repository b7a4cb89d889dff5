// Rows of a batch in a block's own memory, as products read them:
//
//   PlainRows   (rows, numbers), for any type
//   MmaRows     (octets of rows, spans, 8 rows, 32 numbers), of 16 bits
//
// Both in quads, 16 bytes of one access. In a span of MmaRows lane 4 g + i finds what it
// multiplies, eight numbers of row g, beside what its neighbours find.
#pragma once

#include <cstdint>

#include "cuda/stored.hpp"

namespace rnnfast {
namespace {

/// Numbers of 16 bits in pairs, the first in the lower half, as tensor cores take them.
struct alignas(16) Quad {
  std::uint32_t words[4];
};
constexpr int quad_bytes = static_cast<int>(sizeof(Quad));

/// Eight from `from` on, of which `count` are there and all others zero.
template <class Stored, class Machine>
RNNFAST_BOTH inline Quad quad_of(Machine& m, const Stored* from, index count) {
  static_assert(is_short<Stored>);
  if (count >= 8 && reinterpret_cast<std::uintptr_t>(from) % quad_bytes == 0) {
    return m.load(reinterpret_cast<const Quad*>(from));
  }
  Quad found = {};
  RNNFAST_UNROLL(8)
  for (int i = 0; i < 8; ++i) {
    if (i < count) found.words[i / 2] |= std::uint32_t{m.load(from + i).bits} << i % 2 * 16;
  }
  return found;
}

struct PlainRows {
  int width;  // a multiple of 4

  RNNFAST_BOTH explicit constexpr PlainRows(int length) : width((length + 3) / 4 * 4) {}

  RNNFAST_BOTH constexpr int numbers(int rows) const { return rows * width; }
  RNNFAST_BOTH constexpr int at(int row, int k) const { return row * width + k; }
};

struct MmaRows {
  static constexpr int octet = 8;  // rows
  static constexpr int span = 32;  // numbers
  static constexpr int span_quads = octet * 4;

  int spans;

  RNNFAST_BOTH explicit constexpr MmaRows(int length) : spans((length + span - 1) / span) {}

  RNNFAST_BOTH constexpr int numbers(int rows) const {
    return (rows + octet - 1) / octet * spans * octet * span;
  }
  RNNFAST_BOTH constexpr int quads(int rows) const { return numbers(rows) / 8; }
  /// The first of a row; a span further is the next of its fours.
  RNNFAST_BOTH constexpr int first_quad(int row) const {
    return (row / octet * spans * octet + row % octet) * 4;
  }
  RNNFAST_BOTH constexpr int at(int row, int k) const {
    return (first_quad(row) + k / span * span_quads) * 8 + k % span;
  }
};

}  // namespace
}  // namespace rnnfast
