// From a call to what a kernel of the CPU is called with.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "api/call.hpp"
#include "api/header.hpp"
#include "api/quantized.hpp"
#include "api/typed.hpp"
#include "cpu/dispatch/dispatch.hpp"
#include "cpu/plan/sequences.hpp"

namespace rnnfast {

template <class T>
const CellKernels<T>& kernels_for(const CellSpec& cell) {
  const ScalarKernels<T>& all = kernels_of<T>(target());
  return (cell.chooses() ? all.chosen : all.fixed).cells[cell.number()];
}

/// The target's format for weights of some storage, null where that is the scalar's own type.
/// Throws std::invalid_argument where a scalar is not multiplied with such weights.
template <class T>
const FormatKernels<T>* format_for(StorageType storage);

/// Throws std::invalid_argument for a cell that has no kernels for weights of some storage.
[[noreturn]] void refuse_cell(const CellSpec& cell, StorageType storage);

/// Inference with weights of some storage; throws likewise.
template <class T>
const InferenceKernels<T>& inference_for(const CellSpec& cell, StorageType storage) {
  if (const FormatKernels<T>* const format = format_for<T>(storage)) {
    const auto& found = (cell.chooses() ? format->chosen : format->fixed)[cell.number()];
    if (!found.pack) refuse_cell(cell, storage);
    return found;
  }
  return kernels_for<T>(cell);
}

/// Those that weights were packed for.
template <class T>
const InferenceKernels<T>& kernels_of(const Header& packed) {
  return *static_cast<const InferenceKernels<T>*>(packed.kernels);
}

/// Training with products in some storage; throws likewise, and for one that is of inference alone.
template <class T>
const TrainingKernels<T>& training_for(const CellSpec& cell, StorageType storage) {
  if (const FormatKernels<T>* const format = format_for<T>(storage)) {
    const TrainingKernels<T>* const kernels =
        cell.chooses() ? format->chosen_training : format->fixed_training;
    if (!kernels) {
      throw std::invalid_argument(std::string("there is no training in ") + name_of(storage));
    }
    return kernels[cell.number()];
  }
  return kernels_for<T>(cell);
}

/// The private rows of a call; none where each is a sequence that takes all steps.
inline std::vector<SequenceRow> rows_of(const Call& call, const PlanSegment& plan) {
  if (!call.spans) return {};
  return deal_sequences(call.spans, plan);
}

/// Points to `cell` and `rows`.
template <class T>
ForwardCall<T> forward_call(const Call& call, const CellSpec& cell,
                            const std::vector<SequenceRow>& rows) {
  return {call.dims,        typed<T>(call.x),     typed<T>(call.initial),
          typed<T>(call.y), typed<T>(call.last),  rows.empty() ? nullptr : rows.data(),
          call.resets,      typed<T>(call.masks), cell.activations(),
          call.state_rows};
}

/// Throws std::invalid_argument for a plan that was made for another call.
void require_serves(const CallPlan& plan, const CellTraits& traits, const CallSizes& sizes);

/// Throws std::invalid_argument for weights of other sizes than the call's.
void require_fits(const Dims& weights, const Dims& call);

}  // namespace rnnfast
