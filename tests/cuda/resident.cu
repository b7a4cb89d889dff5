// Persistent kernels of every cell that has them, to be compiled; STORED says for which type of
// arrays, DRIVER whether for grids or for clusters. Nothing here runs.
#include "cells/registry.hpp"
#include "cuda/gpu_launch.cuh"
#include "cuda/persistent/drivers.hpp"

namespace rnnfast {

using Stored = STORED;
using Compiled = const void*;

/// What has the compiler emit the kernels of a cell.
template <class Forward, class Backward>
void compile(Compiled*& to) {
  *to++ = reinterpret_cast<Compiled>(&run_resident<Forward>);
  *to++ = reinterpret_cast<Compiled>(&run_resident<Backward>);
}

template <class Cell>
void of_grid(Compiled*& to) {
  if constexpr (Resident<Cell>) compile<GridForward<Cell, Stored>, GridBackward<Cell, Stored>>(to);
}
template <class Cell>
void of_cluster(Compiled*& to) {
  if constexpr (Resident<Cell>) {
    compile<ClusterForward<Cell, Stored>, ClusterBackward<Cell, Stored>>(to);
  }
}

void all_kernels(Compiled* to) {
#define KERNELS_OF(name, ...) DRIVER<__VA_ARGS__>(to);
  RNNFAST_CELLS(KERNELS_OF)
}

}  // namespace rnnfast
