// Every kernel of csrc/cuda/ for every cell, to be compiled; SCALAR says for which type. Nothing
// here runs.
#include "cells/registry.hpp"
#include "cuda/gpu_thread.cuh"
#include "cuda/normalized_step.hpp"
#include "cuda/step.hpp"

namespace rnnfast {

using T = SCALAR;
constexpr int threads = 128;
// Half of what a multiprocessor of 2048 threads takes: with no number at all, ptxas has held 64-bit
// kernels to 40 registers and spilled.
constexpr int at_once = 8;

template <class Cell>
__global__ void __launch_bounds__(threads, at_once) finish_kernel(Cell cell, FinishCall<T> call) {
  GpuThread m;
  finish(m, cell, call);
}
template <int Phase, class Cell>
__global__ void __launch_bounds__(threads, at_once) stage_kernel(Cell cell, StageCall<T> call) {
  GpuThread m;
  stage<Phase>(m, cell, call);
}
template <class Cell>
__global__ void __launch_bounds__(threads, at_once)
    step_backward_kernel(Cell cell, StepBackwardCall<T> call) {
  GpuThread m;
  step_backward(m, cell, call);
}
template <int Phase, class Cell>
__global__ void __launch_bounds__(threads, at_once) unstage_kernel(Cell cell, UnstageCall<T> call) {
  GpuThread m;
  unstage<Phase>(m, cell, call);
}
template <class Cell>
__global__ void __launch_bounds__(threads, at_once)
    finish_normalized_kernel(Cell cell, FinishNormalizedCall<T> call) {
  GpuThread m;
  finish_normalized(m, cell, call);
}
template <class Cell>
__global__ void __launch_bounds__(threads, at_once)
    step_backward_normalized_kernel(Cell cell, StepBackwardNormalizedCall<T> call) {
  GpuThread m;
  step_backward_normalized(m, cell, call);
}

using Kernel = const void*;

/// What makes the compiler emit the kernels of a cell.
template <class Cell>
void kernels_of(Kernel (&to)[4]) {
  if constexpr (Normalized<Cell>) {
    to[0] = reinterpret_cast<Kernel>(&finish_normalized_kernel<Cell>);
    to[1] = reinterpret_cast<Kernel>(&step_backward_normalized_kernel<Cell>);
  } else {
    to[0] = reinterpret_cast<Kernel>(&finish_kernel<Cell>);
    to[1] = reinterpret_cast<Kernel>(&step_backward_kernel<Cell>);
  }
  if constexpr (Cell::phases == 2) {
    to[2] = reinterpret_cast<Kernel>(&stage_kernel<0, Cell>);
    to[3] = reinterpret_cast<Kernel>(&unstage_kernel<1, Cell>);
  }
}

#define COUNT_ONE(name, ...) +1
extern const int cells;
const int cells = RNNFAST_CELLS(COUNT_ONE) RNNFAST_CHOSEN_CELLS(COUNT_ONE);

void all_kernels(Kernel (*to)[4]) {
#define KERNELS_OF(name, ...) kernels_of<__VA_ARGS__>(*to++);
  RNNFAST_CELLS(KERNELS_OF)
  RNNFAST_CHOSEN_CELLS(KERNELS_OF)
}

}  // namespace rnnfast
