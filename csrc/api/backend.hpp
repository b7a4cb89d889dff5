// Where calls run. Every door turns its host's arrays into views, makes a plan, calls one of these
// functions, and turns results back into its host's: for Python csrc/bindings/, for hosts that
// speak plain C csrc/doors/. There is one for the processor, and one for each stream of a GPU
// (api/device_backend.hpp).
//
// Plans are made before a pass, with the host's lock or without; passes run without it, and while a
// RunningCall lives (base/threads.hpp). What a caller may have got wrong is a
// std::invalid_argument, refused memory a std::bad_alloc; both leave nothing behind.
#pragma once

#include <utility>
#include <vector>

#include "api/call.hpp"
#include "api/layers.hpp"
#include "api/packed.hpp"
#include "api/tape.hpp"

namespace rnnfast {

class Backend {
 public:
  virtual ~Backend() = default;

  /// They live as long as the process.
  virtual const CellTraits& traits(const CellSpec& cell, Precision precision) const = 0;

  virtual CallPlan plan(Purpose purpose, const CellSpec& cell, Precision precision,
                        const CallSizes& sizes) const = 0;
  /// Of inference with packed weights.
  virtual CallPlan plan(const Packed& weights, const CallSizes& sizes) const {
    const Header& made = weights.header();
    return plan(Purpose::inference, made.cell, made.precision(), sizes);
  }
  /// Bytes that a tape needs under a plan; it may have more.
  virtual std::size_t tape_bytes(const CellSpec& cell, ScalarType scalar,
                                 const CallPlan& plan) const = 0;

  /// For calls of any plan; rounded to a shorter type for inference in it.
  virtual Packed pack(const Weights& weights, StorageType storage) const = 0;
  Packed pack(const Weights& weights) const { return pack(weights, storage_of(weights.scalar)); }

  virtual void forward(const Packed& weights, const Call& call, const CallPlan& plan) const = 0;
  virtual void forward(const Weights& weights, const Call& call, const CallPlan& plan) const = 0;
  /// By a plan for training, with checkpoints or without; `memory` has `tape_bytes` at least.
  /// Products of this pass and of backward passes from its tape are taken in some storage.
  virtual Tape forward_saving(const Weights& weights, StorageType storage, const Call& call,
                              const CallPlan& plan, TapeMemory memory) const = 0;
  Tape forward_saving(const Weights& weights, const Call& call, const CallPlan& plan,
                      TapeMemory memory) const {
    const StorageType storage = storage_of(weights.scalar);
    return forward_saving(weights, storage, call, plan, std::move(memory));
  }
  /// In memory that the backend takes.
  virtual Tape forward_saving(const Weights& weights, StorageType storage, const Call& call,
                              const CallPlan& plan) const {
    return forward_saving(weights, storage, call, plan,
                          TapeMemory(tape_bytes(weights.cell, weights.scalar, plan)));
  }
  Tape forward_saving(const Weights& weights, const Call& call, const CallPlan& plan) const {
    return forward_saving(weights, storage_of(weights.scalar), call, plan);
  }
  virtual void backward(const Tape& tape, const Pullback& call) const = 0;
  /// Of a tape without checkpoints.
  virtual void trace(const Tape& tape, const TraceTo& call) const = 0;

  /// Whether, and how, layers run at once; then the plan of each layer.
  virtual StackPlan plan_layers(Purpose purpose, const CellSpec& cell, Precision precision,
                                const StackDims& dims) const = 0;
  virtual std::vector<CallPlan> plan_each(Purpose purpose, const CellSpec& cell,
                                          Precision precision, const StackDims& dims,
                                          const StackPlan& plan) const = 0;
  virtual void forward_layers(const LayersCall& call) const = 0;
  /// Tapes in the order of the layers.
  virtual std::vector<Tape> forward_layers_saving(const LayersCall& call) const = 0;

  /// The next step of B streams, `x` (B, I).
  void step(const Packed& weights, index rows, const void* x, States<const void> before,
            States<void> after) const {
    const Header& made = weights.header();
    Call call = {};
    call.dims = made.dims;
    call.dims.steps = 1;
    call.dims.rows = rows;
    call.x = {x, 0, made.dims.inputs};
    call.initial = before;
    end_step(call, after);
    forward(weights, call, plan(weights, call.sizes()));
  }
};

/// The processor's, by the target that was chosen (cpu/dispatch/dispatch.hpp).
const Backend& cpu_backend();

}  // namespace rnnfast
