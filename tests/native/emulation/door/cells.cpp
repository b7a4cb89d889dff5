// One cell of each kind, since every one takes long to compile: with a memory and without, with two
// phases, with norms, with weights of units and activations of a call's; of each type of arrays
// some. All of them are emulated by the native tests.
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

template <class Cell, class Stored>
DeviceCell emulated(const char* name) {
  return CellOnDevice<OnEmulation, Cell, Stored>::functions(name);
}

}  // namespace

std::span<const DeviceCell> cells(StorageType arrays, bool chooses) {
  static const DeviceCell fixed32[] = {
      emulated<Rnn<Fixed<Tanh>>, float>("rnn_tanh"),
      emulated<Lstm<Usual, Forget::own>, float>("lstm"),
      emulated<GruResetBefore<Usual>, float>("gru_reset_before"),
      emulated<GruNorm<Usual>, float>("gru_norm"),
  };
  static const DeviceCell fixed64[] = {emulated<Gru<Usual>, double>("gru")};
  static const DeviceCell half[] = {
      emulated<Lstm<Usual, Forget::own>, Float16>("lstm"),
      emulated<GruResetBefore<Usual>, Float16>("gru_reset_before"),
  };
  static const DeviceCell brain[] = {
      emulated<Lstm<Usual, Forget::own>, Bfloat16>("lstm"),
      emulated<GruNorm<Usual>, Bfloat16>("gru_norm"),
  };
  static const DeviceCell chosen32[] = {
      emulated<LstmPeephole<ChosenActivations<float>>, float>("lstm_peephole"),
  };
  static const DeviceCell chosen_half[] = {
      emulated<LstmPeephole<ChosenActivations<float>>, Float16>("lstm_peephole"),
  };
  using Found = std::span<const DeviceCell>;
  switch (arrays) {
    case StorageType::float32:
      return chooses ? Found(chosen32) : Found(fixed32);
    case StorageType::float64:
      return chooses ? Found() : Found(fixed64);
    case StorageType::float16:
      return chooses ? Found(chosen_half) : Found(half);
    case StorageType::bfloat16:
      return chooses ? Found() : Found(brain);
    case StorageType::int8:
    case StorageType::sparse:
      break;
  }
  return {};
}

}  // namespace rnnfast::emulation
