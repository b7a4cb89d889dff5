#include "package/precision.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>

#include "api/backend.hpp"

namespace rnnfast {
namespace {

// The largest numbers of each.
constexpr float largest_bfloat16 = 0x1.fep127F;
constexpr float largest_float16 = 65504;

void require_held(const void* matrix, index count, const char* precision, float largest) {
  const auto* const numbers = static_cast<const float*>(matrix);
  for (index i = 0; numbers && i < count; ++i) {
    if (std::fabs(numbers[i]) <= largest || !std::isfinite(numbers[i])) continue;
    char message[160];
    std::snprintf(message, sizeof message,
                  "weights must be within %g for %s, got %g; take RNNFAST_AS_GIVEN",
                  static_cast<double>(largest), precision, static_cast<double>(numbers[i]));
    throw std::invalid_argument(message);
  }
}

void require_held(const DescribedStack& stack, const char* precision, float largest) {
  for (const DescribedLayer& layer : stack.layers) {
    const auto& [cell, scalar, dims, arrays] = layer.weights;
    if (scalar != ScalarType::float32) return;  // which no shorter precision takes
    const index rows = cpu_backend().traits(cell, scalar).gates * dims.units;
    require_held(arrays[WeightId::w_ih], rows * dims.inputs, precision, largest);
    require_held(arrays[WeightId::w_hh], rows * outputs_of(dims), precision, largest);
    require_held(arrays[WeightId::w_hr], dims.projection * dims.units, precision, largest);
  }
}

StorageType as_given(const DescribedStack& stack) {
  if (stack.layers.empty()) return StorageType::float32;
  if (stack.sparse) return StorageType::sparse;
  const bool quantized =
      std::all_of(stack.layers.begin(), stack.layers.end(), [](const DescribedLayer& layer) {
        const RowScales& scales = layer.weights.arrays.scales;
        return scales.ih && scales.hh;
      });
  return quantized ? StorageType::int8 : storage_of(stack.layers[0].weights.scalar);
}

}  // namespace

StorageType storage_of(rnnfast_precision precision, const DescribedStack& stack) {
  if (stack.sparse && precision != RNNFAST_AS_GIVEN) {
    throw std::invalid_argument(
        "sparse weights stay of their type: precision must be RNNFAST_AS_GIVEN");
  }
  switch (precision) {
    case RNNFAST_AS_GIVEN:
      return as_given(stack);
    case RNNFAST_BFLOAT16:
      require_held(stack, "RNNFAST_BFLOAT16", largest_bfloat16);
      return StorageType::bfloat16;
    case RNNFAST_FLOAT16:
      require_held(stack, "RNNFAST_FLOAT16", largest_float16);
      return StorageType::float16;
    case RNNFAST_INT8:
      return StorageType::int8;
  }
  throw std::invalid_argument("precision must be one of rnnfast_precision");
}

rnnfast_precision precision_of(StorageType storage) {
  switch (storage) {
    case StorageType::bfloat16:
      return RNNFAST_BFLOAT16;
    case StorageType::float16:
      return RNNFAST_FLOAT16;
    case StorageType::int8:
      return RNNFAST_INT8;
    default:
      return RNNFAST_AS_GIVEN;
  }
}

}  // namespace rnnfast
