// The backend of a stream of a device. Calls are launched and come back at once: arrays, weights
// and tapes are the device's, and whoever uses them on another stream waits for this one. Layers
// run one after the other, on all of the device. Weights are kept in the type of their arrays,
// which is what a storage or a precision names here: of 16 bits with float32 as the scalar.
#pragma once

#include "api/backend.hpp"
#include "api/device.hpp"

namespace rnnfast {

class DeviceBackend final : public Backend {
 public:
  explicit DeviceBackend(DeviceStream& stream) : stream_(stream) {}

  const CellTraits& traits(const CellSpec& cell, Precision precision) const override;

  using Backend::plan;
  CallPlan plan(Purpose purpose, const CellSpec& cell, Precision precision,
                const CallSizes& sizes) const override;
  std::size_t tape_bytes(const CellSpec& cell, ScalarType scalar,
                         const CallPlan& plan) const override;
  std::size_t tape_bytes(const CellSpec& cell, StorageType arrays, const CallPlan& plan) const;

  using Backend::pack;
  /// For calls on any stream of the device, once all that was launched here has run.
  Packed pack(const Weights& weights, StorageType storage) const override;

  void forward(const Packed& weights, const Call& call, const CallPlan& plan) const override;
  void forward(const Weights& weights, const Call& call, const CallPlan& plan) const override;
  void forward(const Weights& weights, StorageType storage, const Call& call,
               const CallPlan& plan) const;
  using Backend::forward_saving;
  /// `memory` is the device's.
  Tape forward_saving(const Weights& weights, StorageType storage, const Call& call,
                      const CallPlan& plan, TapeMemory memory) const override;
  Tape forward_saving(const Weights& weights, StorageType storage, const Call& call,
                      const CallPlan& plan) const override;
  /// What a forward pass of the same sizes, spans and plan has left in `memory`.
  Tape tape(const Weights& weights, StorageType storage, const Call& call, const CallPlan& plan,
            TapeMemory memory) const;
  void backward(const Tape& tape, const Pullback& call) const override;
  void trace(const Tape& tape, const TraceTo& call) const override;

  StackPlan plan_layers(Purpose purpose, const CellSpec& cell, Precision precision,
                        const StackDims& dims) const override;
  std::vector<CallPlan> plan_each(Purpose purpose, const CellSpec& cell, Precision precision,
                                  const StackDims& dims, const StackPlan& plan) const override;
  /// Never asked for: throw std::invalid_argument.
  void forward_layers(const LayersCall& call) const override;
  std::vector<Tape> forward_layers_saving(const LayersCall& call) const override;

 private:
  const DeviceCell& kernels(const CellSpec& cell, Precision precision) const;
  Header header(const Weights& weights, StorageType storage) const;
  Packed packed_for_now(const Weights& weights, StorageType storage) const;

  DeviceStream& stream_;
};

}  // namespace rnnfast
