// Every kernel of csrc/cuda/ for every cell, to be compiled; STORED says for which type of arrays.
// Nothing here runs.
#include "cells/registry.hpp"
#include "cuda/backend/drawn_masks.hpp"
#include "cuda/backend/elements.hpp"
#include "cuda/general/passes.hpp"
#include "cuda/gpu_launch.cuh"

namespace rnnfast {

using Stored = STORED;
using T = ScalarOf<Stored>;
using Compiled = const void*;

template <class... Kernels>
void compile(Compiled* to) {
  ((*to++ = reinterpret_cast<Compiled>(&run_kernel<Kernels>)), ...);
}

/// What has the compiler emit the kernels of a cell.
template <class Cell>
void kernels_of(Compiled* to) {
  compile<WriteTrace<Cell, Stored>>(to);
  if constexpr (Normalized<Cell>) {
    compile<FinishNormalized<Cell, Stored>, StepBackwardNormalized<Cell, Stored>,
            BackThroughInputNorms<Cell, Stored>, PartSums<Cell, T>>(to);
  } else {
    compile<Finish<Cell, Stored>, StepBackward<Cell, Stored>, PartSums<Cell, Stored>>(to);
  }
  if constexpr (Cell::phases == 2) compile<Stage<0, Cell, Stored>, Unstage<1, Cell, Stored>>(to);
  if constexpr (unit_weights_of<Cell>() > 0) compile<UnitWeightSums<Cell, Stored>>(to);
}

void all_kernels(Compiled* to) {
#define KERNELS_OF(name, ...) kernels_of<__VA_ARGS__>(to);
  RNNFAST_CELLS(KERNELS_OF)
  RNNFAST_CHOSEN_CELLS(KERNELS_OF)
  compile<BeginStep<Stored>, FinishProjection<Stored>, ProjectionBackward<Stored>,
          GiveInitialH<Stored>, GiveInitialC<Stored>, Gather<Stored>, Scatter<Stored>,
          ClearPadding<Stored>, ReadState<Stored>, WriteState<Stored>, FillRows<T>, AddSegments<T>,
          GiveSums<T, Stored>, WriteRows, FirstRows, FindPlaces>(to);
  compile<FillElements<Stored>, CopyElements<Stored>, AddElements<Stored>, MaskElements<Stored>,
          DrawMask<T>, PutElements<T>>(to);
  compile<AddArrays<Stored, Stored>, AddArrays<Stored, T>, AddArrays<T, Stored>, AddArrays<T, T>>(
      to);
}

}  // namespace rnnfast
