// The plans that the CPU's backend makes: for the threads that there are now, with what a test has
// forced upon this thread. What the last one was is remembered.
//
// Making one may measure how far apart the cores are (base/meeting.hpp), and waits for no lock: a
// process may be forked meanwhile.
#pragma once

#include <optional>
#include <vector>

#include "cpu/plan/plan.hpp"

namespace rnnfast {

/// Of the calls of this thread; where any is there, plans go by the settings alone, however busy
/// the machine is.
struct ForcedPlan {
  std::optional<Partition> partition;
  std::optional<index> chunk_steps;
  std::optional<int> threads;  // shares of the plan
  std::optional<bool> interleaves_input;
  std::optional<bool> pipelines;
  std::optional<int> helpers;  // at most

  bool forces() const {
    return partition || chunk_steps || threads || interleaves_input || pipelines || helpers;
  }
};

/// Throws std::invalid_argument for more threads than there may be.
void force_plan(const ForcedPlan& forced);

/// The last plan of this thread: of a call, or of layers at once and of the first of them.
struct LastPlan {
  PlanSegment segment{};
  StackPlan layers{};
};
LastPlan last_plan();

PlanSegment plan_call(Purpose purpose, const Dims& dims, const CellTraits& traits);

/// As it would be for so many threads, whatever is forced; not remembered.
PlanSegment plan_for_threads(Purpose purpose, const Dims& dims, const CellTraits& traits,
                             int threads);

StackPlan plan_layers(Purpose purpose, const StackDims& dims, const CellTraits& traits);

/// Of each layer, if they run at once.
std::vector<PlanSegment> plan_each_layer(Purpose purpose, const StackDims& dims,
                                         const StackPlan& plan, const CellTraits& traits);

}  // namespace rnnfast
