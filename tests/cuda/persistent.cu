// The persistent kernels of every cell that has them, to be compiled; STORED says for which type of
// arrays. Nothing here runs.
#include "cells/registry.hpp"
#include "cuda/gpu_resident.cuh"
#include "cuda/persistent/drivers.hpp"

namespace rnnfast {

using Stored = STORED;
using Compiled = const void*;

/// What has the compiler emit the kernels of a cell.
template <class Cell>
void kernels_of(Compiled* to) {
  if constexpr (Resident<Cell>) {
    to[0] = reinterpret_cast<Compiled>(&run_resident<GridForward<Cell, Stored>>);
    to[1] = reinterpret_cast<Compiled>(&run_resident<GridBackward<Cell, Stored>>);
  }
}

void all_kernels(Compiled* to) {
#define KERNELS_OF(name, ...) kernels_of<__VA_ARGS__>(to);
  RNNFAST_CELLS(KERNELS_OF)
}

}  // namespace rnnfast
