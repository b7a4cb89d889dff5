// What weights are kept in, as the C interface names it.
#pragma once

#include "package/stack.hpp"
#define RNNFAST_C_ONLY
#include <rnnfast.h>

namespace rnnfast {

/// Throws std::invalid_argument for one that there is not, and for finite weights that would become
/// infinite in it.
StorageType storage_of(rnnfast_precision precision, const DescribedStack& stack);

rnnfast_precision precision_of(StorageType storage);

}  // namespace rnnfast
