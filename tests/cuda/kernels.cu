// Every kernel of csrc/cuda/ for every cell, to be compiled; SCALAR says for which type. Nothing
// here runs.
#include "cells/registry.hpp"
#include "cuda/general/passes.hpp"
#include "cuda/gpu_launch.cuh"

namespace rnnfast {

using T = SCALAR;
using Compiled = const void*;

template <class... Kernels>
void compile(Compiled* to) {
  ((*to++ = reinterpret_cast<Compiled>(&run_kernel<Kernels>)), ...);
}

/// What has the compiler emit the kernels of a cell.
template <class Cell>
void kernels_of(Compiled* to) {
  compile<PartSums<Cell, T>, WriteTrace<Cell, T>>(to);
  if constexpr (Normalized<Cell>) {
    compile<FinishNormalized<Cell, T>, StepBackwardNormalized<Cell, T>,
            BackThroughInputNorms<Cell, T>>(to);
  } else {
    compile<Finish<Cell, T>, StepBackward<Cell, T>>(to);
  }
  if constexpr (Cell::phases == 2) compile<Stage<0, Cell, T>, Unstage<1, Cell, T>>(to);
  if constexpr (unit_weights_of<Cell>() > 0) compile<UnitWeightSums<Cell, T>>(to);
}

void all_kernels(Compiled* to) {
#define KERNELS_OF(name, ...) kernels_of<__VA_ARGS__>(to);
  RNNFAST_CELLS(KERNELS_OF)
  RNNFAST_CHOSEN_CELLS(KERNELS_OF)
  compile<BeginStep<T>, FinishProjection<T>, ProjectionBackward<T>, GiveInitialH<T>,
          GiveInitialC<T>, Gather<T>, Scatter<T>, ClearPadding<T>, ReadState<T>, WriteState<T>,
          AddArrays<T, T>, AddSegments<T>, FillRows<T>, WriteRows, FirstRows, FindPlaces>(to);
}

}  // namespace rnnfast
