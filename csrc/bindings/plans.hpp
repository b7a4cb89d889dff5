// The plan of a call, with what a test has forced upon this thread, and a record of the last one.
#pragma once

#include "dispatch/dispatch.hpp"

namespace rnnfast {

PlanSegment plan_call(Purpose purpose, const Dims& dims, const CellTraits& traits);

}  // namespace rnnfast
