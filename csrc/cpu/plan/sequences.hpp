// Sequences of different lengths: which of them is in which private row.
//
// Every share has some long and some short ones, and holds them longest first, so that those that
// go on at a step are the first rows of its block. No sum over k sees its neighbours, so each
// sequence comes out as if run alone; sums over sequences run by rank, whoever holds them.
#pragma once

#include <vector>

#include "call/passes.hpp"
#include "cpu/plan/plan.hpp"

namespace rnnfast {

/// Of `spans` (B, 2), the steps [begin, end) that each sequence takes. Of equally long ones the
/// first comes first.
std::vector<SequenceRow> deal_sequences(const index* spans, const PlanSegment& plan);

}  // namespace rnnfast
