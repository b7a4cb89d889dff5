// Every kernel of csrc/cuda/ for every cell, to be compiled; SCALAR says for which type. Nothing
// here runs.
#include "cells/registry.hpp"
#include "cuda/gpu_launch.cuh"
#include "cuda/normalized_step.hpp"
#include "cuda/step.hpp"

namespace rnnfast {

using T = SCALAR;
using Compiled = const void*;

template <class Kernel>
Compiled compiled() {
  return reinterpret_cast<Compiled>(&run_kernel<Kernel>);
}

/// What has the compiler emit the kernels of a cell.
template <class Cell>
void kernels_of(Compiled (&to)[4]) {
  if constexpr (Normalized<Cell>) {
    to[0] = compiled<FinishNormalized<Cell, T>>();
    to[1] = compiled<StepBackwardNormalized<Cell, T>>();
  } else {
    to[0] = compiled<Finish<Cell, T>>();
    to[1] = compiled<StepBackward<Cell, T>>();
  }
  if constexpr (Cell::phases == 2) {
    to[2] = compiled<Stage<0, Cell, T>>();
    to[3] = compiled<Unstage<1, Cell, T>>();
  }
}

void all_kernels(Compiled (*to)[4]) {
#define KERNELS_OF(name, ...) kernels_of<__VA_ARGS__>(*to++);
  RNNFAST_CELLS(KERNELS_OF)
  RNNFAST_CHOSEN_CELLS(KERNELS_OF)
}

}  // namespace rnnfast
