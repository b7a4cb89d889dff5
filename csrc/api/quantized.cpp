#include "api/quantized.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace rnnfast {
namespace {

constexpr index longest_sum_of_bytes = 1 << 16;  // csrc/gemm/byte_tile.hpp

const char* const needs =
    "precision=\"int8\" needs a cell that keeps h within -1 and 1: \"lstm\", "
    "\"gru\" or \"rnn\" with tanh, with their usual activations";

}  // namespace

void refuse_quantized(const CellSpec& cell) {
  const std::string chosen = cell.chooses() ? " with activations or clip of its own" : "";
  throw std::invalid_argument(std::string(needs) + ", got " + cell.name() + chosen +
                              "; \"bfloat16\" and \"float16\" are for all");
}

void require_quantizable(const Weights& weights) {
  if (weights.dims.projection) {
    throw std::invalid_argument(std::string(needs) +
                                " and without w_hr, got w_hr, whose h has no bound");
  }
  const index longest = std::max(weights.dims.inputs, weights.dims.units);
  if (longest > longest_sum_of_bytes) {
    throw std::invalid_argument("precision=\"int8\" takes sums of at most " +
                                std::to_string(longest_sum_of_bytes) + " numbers, I and H, got " +
                                std::to_string(longest));
  }
}

void require_bounded(const Call& call) {
  const auto* const h = static_cast<const float*>(call.initial.h);
  if (h) require_bounded("h0", h, call.dims.rows * call.dims.units);
}

void require_bounded(const char* name, const float* h, index count) {
  for (index i = 0; i < count; ++i) {
    if (std::fabs(h[i]) <= 1 || std::isnan(h[i])) continue;
    throw std::invalid_argument(
        std::string(name) +
        " must lie within -1 and 1 for weights packed with precision=\"int8\", which multiply it "
        "in steps of 1/127, got " +
        std::to_string(h[i]));
  }
}

}  // namespace rnnfast
