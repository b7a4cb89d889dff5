// Rows of sequences, in a block for each share that is of rows.
//
// Interleaved, each step would touch cache lines beside those that another core is writing, and its
// prefetchers would fetch some of those: half a microsecond a line on some machines.
#pragma once

#include "base/dims.hpp"
#include "cpu/plan/plan.hpp"

namespace rnnfast {
namespace {

struct RowBlocks {
  index rows;    // B
  index count;   // one a share where shares are rows, else one
  index height;  // rows of the largest block; every block has room for as many

  explicit RowBlocks(const PlanSegment& plan)
      : rows(plan.rows),
        count(plan.partition == Partition::rows ? plan.threads : 1),
        height(ceil_div(rows, count)) {}

  /// Rows of `row_bytes` left free after a block, so that no prefetcher strays into the next one.
  index gap(std::size_t row_bytes) const {
    constexpr index apart = 1024;
    return count > 1 ? ceil_div(apart, static_cast<index>(row_bytes)) : 0;
  }
  /// Where row r lies if blocks begin `stride` rows apart.
  index row(index r, index stride) const {
    const index owner = ((r + 1) * count - 1) / rows;
    return owner * stride + r - share(rows, owner, count).begin;
  }
};

}  // namespace
}  // namespace rnnfast
