// The persistent kernels of every cell that has them, to be compiled; STORED says for which type of
// arrays, KERNELS whose. Nothing here runs.
#include "cells/registry.hpp"
#include "cuda/gpu_resident.cuh"
#include "cuda/persistent/drivers.hpp"

namespace rnnfast {

using Stored = STORED;
using Compiled = const void*;

/// What has the compiler emit a cell's.
template <class Cell>
void on_grid(Compiled* to) {
  if constexpr (Resident<Cell>) {
    to[0] = reinterpret_cast<Compiled>(&run_resident<GridForward<Cell, Stored>>);
    to[1] = reinterpret_cast<Compiled>(&run_resident<GridBackward<Cell, Stored>>);
  }
}
template <class Cell>
void in_cluster(Compiled* to) {
  if constexpr (Resident<Cell>) {
    to[0] = reinterpret_cast<Compiled>(&run_resident<ClusterForward<Cell, Stored>>);
    to[1] = reinterpret_cast<Compiled>(&run_resident<ClusterBackward<Cell, Stored>>);
  }
}

void all_kernels(Compiled* to) {
#define KERNELS_OF(name, ...) KERNELS<__VA_ARGS__>(to);
  RNNFAST_CELLS(KERNELS_OF)
}

}  // namespace rnnfast
