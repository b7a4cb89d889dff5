#include "api/cpu_layers.hpp"

#include <stdexcept>

#include "api/cpu_calls.hpp"

namespace rnnfast {
namespace {

/// What kernels are called with, and what that points to.
template <class T>
struct Stack {
  std::vector<StackPart<T>> parts;
  std::vector<std::vector<SequenceRow>> rows;
};

void require_packed_alike(const Header& packed, const LayersCall& call) {
  const CellSpec& cell = packed.cell;
  if (packed.precision() == call.precision && cell.number() == call.cell.number() &&
      cell.chooses() == call.cell.chooses()) {
    return;
  }
  throw std::invalid_argument("weights of layers were packed for another cell or precision");
}

template <class T>
Stack<T> stack_of(const LayersCall& call) {
  const CellTraits& traits = inference_for<T>(call.cell, call.precision.storage).traits;
  Stack<T> stack;
  for (const LayerCall& layer : call.layers) {
    require_serves(layer.plan, traits, layer.call.sizes());
    stack.rows.push_back(rows_of(layer.call, layer.plan.segment));
    StackPart<T> part = {forward_call<T>(layer.call, call.cell, stack.rows.back()),
                         layer.plan.segment,
                         {},
                         nullptr,
                         nullptr,
                         nullptr};
    if (layer.packed) {
      require_packed_alike(layer.packed->header(), call);
      require_fits(layer.packed->header().dims, layer.call.dims);
      if (call.precision.storage == StorageType::int8) require_bounded(layer.call);
      part.packed = const_cast<char*>(layer.packed->data());  // read only
    } else {
      part.weights = typed<T>(layer.weights);
    }
    stack.parts.push_back(part);
  }
  return stack;
}

/// Bytes between what one worker writes and another's, so that no prefetcher strays there.
constexpr std::size_t apart = 1024;

/// Gives each part its memory, `saved` excepted, and calls run(of all parts). `work_bytes` is that
/// of the same run.
template <class T, class Run>
void run_parts(const LayersCall& call, std::vector<StackPart<T>>& parts,
               std::size_t (*work_bytes)(const Dims&, const PlanSegment&), Run&& run) {
  const InferenceKernels<T>& kernels = inference_for<T>(call.cell, call.precision.storage);
  struct Sizes {
    std::size_t packed;
    std::size_t work;
  };
  std::vector<Sizes> sizes;
  std::size_t total = 0;
  for (const StackPart<T>& part : parts) {
    const Dims& dims = part.call.dims;
    sizes.push_back({part.packed ? 0 : kernels.packed_bytes(dims, part.weights),
                     work_bytes(dims, part.plan) + apart});
    total += sizes.back().packed + sizes.back().work;
  }
  const Arena memory(total);
  char* free = memory.data();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].packed) parts[i].packed = free;
    free += sizes[i].packed;
    parts[i].work = free;
    free += sizes[i].work;
  }
  const auto layers = static_cast<index>(parts.size()) / call.directions;
  run(StackCall<T>{parts.data(), layers, call.directions, call.plan});
}

}  // namespace

void run_layers_at_once(const LayersCall& call) {
  with_scalar(call.precision.scalar, [&](auto zero) {
    using T = decltype(zero);
    const InferenceKernels<T>& kernels = inference_for<T>(call.cell, call.precision.storage);
    Stack<T> stack = stack_of<T>(call);
    run_parts(call, stack.parts, kernels.stack_work, [&](const StackCall<T>& parts) {
      kernels.stack(kernels_for<T>(call.cell).epilogues, parts);
    });
  });
}

std::vector<Tape> run_layers_at_once_saving(const LayersCall& call) {
  return with_scalar(call.precision.scalar, [&](auto zero) {
    using T = decltype(zero);
    const auto [scalar, storage] = call.precision;
    const TrainingKernels<T>& kernels = training_for<T>(call.cell, storage);
    Stack<T> stack = stack_of<T>(call);
    std::vector<Tape> tapes;
    for (std::size_t i = 0; i < stack.parts.size(); ++i) {
      StackPart<T>& part = stack.parts[i];
      TapeMemory saved(kernels.saved_bytes(part.call.dims, part.plan));
      part.saved = saved.data();
      const CallPlan& plan = call.layers[i].plan;
      const Header header = {call.cell,   scalar, storage,       target().name,
                             plan.traits, plan,   part.call.dims};
      tapes.emplace_back(header, std::move(stack.rows[i]), std::move(saved));
    }
    run_parts(call, stack.parts, kernels.stack_work_saving, [&](const StackCall<T>& parts) {
      kernels.stack_saving(kernels_for<T>(call.cell).epilogues, parts);
    });
    return tapes;
  });
}

}  // namespace rnnfast
