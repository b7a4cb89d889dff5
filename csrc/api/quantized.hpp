// What products of bytes ask of a call beside what all do: h between -1 and 1, of which they keep
// 127 h to the nearest.
#pragma once

#include "api/call.hpp"
#include "api/packed.hpp"

namespace rnnfast {

/// Throws std::invalid_argument for a cell that does not keep h there.
[[noreturn]] void refuse_quantized(const CellSpec& cell);

/// Throws std::invalid_argument for weights that cannot be packed so.
void require_quantizable(const Weights& weights);

/// Throws std::invalid_argument for a call that begins with an h beyond. NaN is let through, and
/// stays in its row.
void require_bounded(const Call& call);

/// Likewise for some h by a name.
void require_bounded(const char* name, const float* h, index count);

}  // namespace rnnfast
