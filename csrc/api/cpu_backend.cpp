#include <stdexcept>

#include "api/backend.hpp"
#include "api/cpu_calls.hpp"
#include "api/cpu_layers.hpp"
#include "api/planner.hpp"
#include "base/threads.hpp"

namespace rnnfast {
namespace {

const CellTraits& traits_of(const CellSpec& cell, Precision precision) {
  return *with_scalar(precision.scalar, [&](auto zero) {
    return &inference_for<decltype(zero)>(cell, precision.storage).traits;
  });
}

CallPlan plan_of(Purpose purpose, const CellTraits& traits, const CallSizes& sizes) {
  CallPlan plan = {purpose, &traits, sizes.dims, plan_call(purpose, sizes.dims, traits)};
  plan.segment.masks_operand = sizes.masks_h;
  return plan;
}

Packed pack_on(const Weights& weights, StorageType storage, int threads) {
  return with_scalar(weights.scalar, [&](auto zero) {
    using T = decltype(zero);
    const InferenceKernels<T>& kernels = inference_for<T>(weights.cell, storage);
    if (storage == StorageType::int8) require_quantizable(weights);
    const std::size_t bytes = kernels.packed_bytes(weights.dims, typed<T>(weights.arrays));
    Arena memory(bytes);
    kernels.pack(weights.dims, typed<T>(weights.arrays), threads, memory.data());
    const Header header = {weights.cell,  weights.scalar,  storage,
                           target().name, &kernels.traits, std::nullopt,
                           weights.dims,  &kernels,        kernels_for<T>(weights.cell).epilogues};
    return Packed(header, std::move(memory), bytes);
  });
}

template <class T>
std::size_t saved_bytes(const TrainingKernels<T>& kernels, const CallPlan& plan) {
  const auto bytes =
      plan.purpose == Purpose::training ? kernels.saved_bytes : kernels.checkpoint_bytes;
  return bytes(plan.dims, plan.segment);
}

void require_saves(const CallPlan& plan) {
  if (plan.purpose != Purpose::inference) return;
  throw std::invalid_argument("a plan for inference, a call that saves");
}

class CpuBackend final : public Backend {
 public:
  const CellTraits& traits(const CellSpec& cell, Precision precision) const override {
    return traits_of(cell, precision);
  }

  CallPlan plan(Purpose purpose, const CellSpec& cell, Precision precision,
                const CallSizes& sizes) const override {
    return plan_of(purpose, traits_of(cell, precision), sizes);
  }
  CallPlan plan(const Packed& weights, const CallSizes& sizes) const override {
    return plan_of(Purpose::inference, *weights.header().traits, sizes);
  }

  std::size_t tape_bytes(const CellSpec& cell, ScalarType scalar,
                         const CallPlan& plan) const override {
    require_saves(plan);
    return with_scalar(
        scalar, [&](auto zero) { return saved_bytes(kernels_for<decltype(zero)>(cell), plan); });
  }

  using Backend::pack;
  Packed pack(const Weights& weights, StorageType storage) const override {
    return pack_on(weights, storage, threads_now());
  }

  void forward(const Packed& weights, const Call& call, const CallPlan& plan) const override {
    const Header& made = weights.header();
    with_scalar(made.scalar, [&](auto zero) {
      using T = decltype(zero);
      require_serves(plan, *made.traits, call.sizes());
      require_fits(made.dims, call.dims);
      if (made.storage == StorageType::int8) require_bounded(call);
      const std::vector<SequenceRow> rows = rows_of(call, plan.segment);
      kernels_of<T>(made).forward(made.epilogues, forward_call<T>(call, made.cell, rows),
                                  plan.segment, weights.data());
    });
  }

  void forward(const Weights& weights, const Call& call, const CallPlan& plan) const override {
    forward(pack_on(weights, storage_of(weights.scalar), plan.segment.threads), call, plan);
  }

  using Backend::forward_saving;
  Tape forward_saving(const Weights& weights, StorageType storage, const Call& call,
                      const CallPlan& plan, TapeMemory memory) const override {
    require_saves(plan);
    return with_scalar(weights.scalar, [&](auto zero) {
      using T = decltype(zero);
      const TrainingKernels<T>& kernels = training_for<T>(weights.cell, storage);
      const CellTraits& traits = inference_for<T>(weights.cell, storage).traits;
      require_serves(plan, traits, call.sizes());
      require_fits(weights.dims, call.dims);
      const Packed packed = pack_on(weights, storage, plan.segment.threads);
      std::vector<SequenceRow> rows = rows_of(call, plan.segment);
      if (memory.bytes() < saved_bytes(kernels, plan)) {
        throw std::invalid_argument("less memory than a tape of this plan needs");
      }
      const auto run = plan.purpose == Purpose::training ? kernels.forward_saving
                                                         : kernels.forward_saving_checkpoints;
      run(kernels_for<T>(weights.cell).epilogues, forward_call<T>(call, weights.cell, rows),
          plan.segment, packed.data(), memory.data());
      const Header header = {weights.cell, weights.scalar, storage,  target().name,
                             &traits,      plan,           call.dims};
      return Tape(header, std::move(rows), std::move(memory));
    });
  }

  void backward(const Tape& tape, const Pullback& call) const override {
    const Header& made = tape.header();
    with_scalar(made.scalar, [&](auto zero) {
      using T = decltype(zero);
      const TrainingKernels<T>& kernels = training_for<T>(made.cell, made.storage);
      const CallPlan& plan = *made.plan;
      require_serves(plan, *made.traits, {made.dims, call.masks.recurrent != nullptr});
      if (call.out.of_sequences && plan.purpose != Purpose::training) {
        throw std::invalid_argument("a tape of checkpoints has no gradients of each sequence");
      }
      const auto run =
          plan.purpose == Purpose::training ? kernels.backward : kernels.backward_from_checkpoints;
      run(kernels_for<T>(made.cell).epilogues,
          {made.dims, typed<T>(call.x), typed<T>(call.weights), typed<T>(call.dy),
           typed<T>(call.d_last), typed<T>(call.out), tape.rows(), call.resets,
           typed<T>(call.masks), call.truncate, made.cell.activations()},
          plan.segment, tape.data());
    });
  }

  void trace(const Tape& tape, const TraceTo& to) const override {
    const Header& made = tape.header();
    if (made.plan->purpose != Purpose::training) {
      throw std::invalid_argument("a tape of checkpoints has no trace");
    }
    with_scalar(made.scalar, [&](auto zero) {
      using T = decltype(zero);
      const TraceCall<T> call = {typed<T>(to.weights), typed<T>(to.gates), typed<T>(to.c),
                                 tape.rows(), made.cell.activations()};
      const CellKernels<T>& kernels = kernels_for<T>(made.cell);
      kernels.trace(kernels.epilogues, call, made.dims, made.plan->segment, tape.data());
    });
  }

  StackPlan plan_layers(Purpose purpose, const CellSpec& cell, Precision precision,
                        const StackDims& dims) const override {
    return rnnfast::plan_layers(purpose, dims, traits_of(cell, precision));
  }

  std::vector<CallPlan> plan_each(Purpose purpose, const CellSpec& cell, Precision precision,
                                  const StackDims& dims, const StackPlan& plan) const override {
    const CellTraits& traits = traits_of(cell, precision);
    std::vector<CallPlan> each;
    for (const PlanSegment& segment : plan_each_layer(purpose, dims, plan, traits)) {
      const auto layer = static_cast<index>(each.size());
      each.push_back({purpose, &traits, dims.of(layer), segment});
    }
    return each;
  }

  void forward_layers(const LayersCall& call) const override { run_layers_at_once(call); }

  std::vector<Tape> forward_layers_saving(const LayersCall& call) const override {
    return run_layers_at_once_saving(call);
  }
};

}  // namespace

const Backend& cpu_backend() {
  static const CpuBackend backend;
  return backend;
}

}  // namespace rnnfast
