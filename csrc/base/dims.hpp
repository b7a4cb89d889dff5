// The sizes of a recurrent call, in the letters used throughout:
//   T steps, B rows (sequences), I inputs, H hidden units, R of them after a projection.
#pragma once

#include <cstddef>

#include "base/host_device.hpp"

namespace rnnfast {

using index = std::ptrdiff_t;

struct Dims {
  index steps;           // T
  index rows;            // B
  index inputs;          // I
  index units;           // H
  index projection = 0;  // R; 0: h is as wide as there are units
};

namespace {  // internal linkage: these are compiled once per instruction set and must not be merged

RNNFAST_BOTH constexpr index ceil_div(index a, index b) { return (a + b - 1) / b; }
RNNFAST_BOTH constexpr index round_up(index a, index b) { return ceil_div(a, b) * b; }
RNNFAST_BOTH constexpr index smaller(index a, index b) { return a < b ? a : b; }
RNNFAST_BOTH constexpr index larger(index a, index b) { return a > b ? a : b; }

/// The width of h: R or H.
RNNFAST_BOTH constexpr index outputs_of(const Dims& dims) {
  return dims.projection ? dims.projection : dims.units;
}

/// The half-open range of `count` things that worker `id` of `workers` owns.
struct Span {
  index begin;
  index end;
  RNNFAST_BOTH constexpr index size() const { return end - begin; }
};

/// What of [begin, end] is nearest.
RNNFAST_BOTH constexpr index within(index value, Span span) {
  return smaller(larger(value, span.begin), span.end);
}

RNNFAST_BOTH constexpr Span share(index count, index id, index workers) {
  return {count * id / workers, count * (id + 1) / workers};
}

}  // namespace
}  // namespace rnnfast
