#include "api/cpu_calls.hpp"

#include <stdexcept>
#include <string>

namespace rnnfast {
namespace {

bool same_weights(const Dims& a, const Dims& b) {
  return a.inputs == b.inputs && a.units == b.units && a.projection == b.projection;
}

bool same_sizes(const Dims& a, const Dims& b) {
  return a.steps == b.steps && a.rows == b.rows && same_weights(a, b);
}

std::string weights_text(const Dims& dims) {
  return "I=" + std::to_string(dims.inputs) + " H=" + std::to_string(dims.units) +
         " R=" + std::to_string(outputs_of(dims));
}

std::string text(const CallSizes& sizes) {
  return "T=" + std::to_string(sizes.dims.steps) + " B=" + std::to_string(sizes.dims.rows) + " " +
         weights_text(sizes.dims) + (sizes.masks_h ? " with" : " without") + " a mask of h";
}

[[noreturn]] void refuse_storage(const char* scalar, StorageType storage) {
  throw std::invalid_argument(std::string(scalar) + " is not multiplied with weights in " +
                              name_of(storage));
}

}  // namespace

template <>
const FormatKernels<float>* format_for<float>(StorageType storage) {
  switch (storage) {
    case StorageType::float32:
      return nullptr;
    case StorageType::bfloat16:
      return &target().bfloat16;
    case StorageType::float16:
      return &target().float16;
    case StorageType::int8:
      return &target().int8;
    case StorageType::sparse:
      return &target().sparse.single;
    case StorageType::float64:
      break;
  }
  refuse_storage("float32", storage);
}

template <>
const FormatKernels<double>* format_for<double>(StorageType storage) {
  if (storage == StorageType::sparse) return &target().sparse.twice;
  if (storage != StorageType::float64) refuse_storage("float64", storage);
  return nullptr;
}

void refuse_cell(const CellSpec& cell, StorageType storage) {
  if (storage == StorageType::int8) refuse_quantized(cell);
  throw std::invalid_argument(std::string("sparse=True is for \"lstm\" and \"gru\", got ") +
                              cell.name());
}

void require_serves(const CallPlan& plan, const CellTraits& traits, const CallSizes& sizes) {
  if (plan.traits != &traits) {
    throw std::invalid_argument("a plan for another cell or precision than the call's");
  }
  const CallSizes planned = {plan.dims, plan.segment.masks_operand};
  if (!same_sizes(planned.dims, sizes.dims) || planned.masks_h != sizes.masks_h) {
    throw std::invalid_argument("a plan for " + text(planned) + ", a call of " + text(sizes));
  }
}

void require_fits(const Dims& weights, const Dims& call) {
  if (same_weights(weights, call)) return;
  throw std::invalid_argument("weights of " + weights_text(weights) + ", a call of " +
                              weights_text(call));
}

}  // namespace rnnfast
