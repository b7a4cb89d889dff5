// The target of this process: chosen once, at import.
#pragma once

#include <vector>

#include "cpu/targets/table.hpp"

namespace rnnfast {

template <class T>
const ScalarKernels<T>& kernels_of(const Target& target);

/// The targets this build has and this processor can run, best last.
const std::vector<const Target*>& available_targets();

/// The best one, or the one named by RNNFAST_TARGET; std::runtime_error if that cannot be.
const Target& target();

/// The machine as the plan sees it now, for one target and scalar size.
Machine machine_for(int lanes);

}  // namespace rnnfast
