// What is known of a call before its data, as numbers of 64 bits: what a host keeps among the
// attributes of an operation, and what a tape in a host's memory begins with. Whoever reads them
// may have them from a file or from another machine, so they end in a fingerprint, and say for
// which kernels a plan was made.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "doors/flat_call.hpp"

namespace rnnfast {

using Words = std::vector<std::int64_t>;

/// A call and the plan by which it runs.
struct PlannedCall {
  FlatCall call;
  CallPlan plan;
};

Words words_of(const CellSpec& cell);
Words words_of(const PlannedCall& planned);
/// As many as words_of a planned call are.
extern const std::size_t planned_word_count;

/// Throw std::invalid_argument for numbers that are none, or of another version or processor.
CellSpec cell_from(std::span<const std::int64_t> words);
PlannedCall planned_call_from(std::span<const std::int64_t> words);

}  // namespace rnnfast
