// The plan of a call, with what a test has forced upon this thread, and a record of the last one.
#pragma once

#include "cpu/dispatch/dispatch.hpp"

namespace rnnfast {

PlanSegment plan_call(Purpose purpose, const Dims& dims, const CellTraits& traits);

/// Of a call of several layers.
StackPlan plan_stack_call(Purpose purpose, const StackDims& stack, const CellTraits& traits);

/// Of each layer, if they run at once.
std::vector<PlanSegment> plan_parts(Purpose purpose, const StackDims& stack, const StackPlan& plan,
                                    const CellTraits& traits);

}  // namespace rnnfast
