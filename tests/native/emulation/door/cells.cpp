// One cell of each kind, since every one takes long to compile: with a memory and without, with two
// phases, with norms, with weights of units and activations of a call's. All of them are emulated
// by the native tests.
#define RNNFAST_ONE_LANE

#include "cells.hpp"

#include "cells/registry.hpp"
#include "cuda/backend/cells.hpp"
#include "stream.hpp"

namespace rnnfast::emulation {
namespace {

struct OnEmulation {
  static EmulatedStream& of(DeviceStream& stream) {
    return static_cast<StreamOfGpu&>(stream).passes;
  }
};

template <class Cell, class T>
DeviceCell emulated(const char* name) {
  return CellOnDevice<OnEmulation, Cell, T>::functions(name);
}

}  // namespace

std::span<const DeviceCell> cells(ScalarType scalar, bool chooses) {
  static const DeviceCell fixed32[] = {
      emulated<Rnn<Fixed<Tanh>>, float>("rnn_tanh"),
      emulated<Lstm<Usual, Forget::own>, float>("lstm"),
      emulated<GruResetBefore<Usual>, float>("gru_reset_before"),
      emulated<GruNorm<Usual>, float>("gru_norm"),
  };
  static const DeviceCell fixed64[] = {emulated<Gru<Usual>, double>("gru")};
  static const DeviceCell chosen32[] = {
      emulated<LstmPeephole<ChosenActivations<float>>, float>("lstm_peephole"),
  };
  if (chooses) {
    return scalar == ScalarType::float32 ? std::span<const DeviceCell>(chosen32)
                                         : std::span<const DeviceCell>();
  }
  return scalar == ScalarType::float32 ? std::span<const DeviceCell>(fixed32)
                                       : std::span<const DeviceCell>(fixed64);
}

}  // namespace rnnfast::emulation
