// Cells of fixed activations for arrays of bfloat16.
#include "cuda/gpu/cells.cuh"

namespace rnnfast {

std::span<const DeviceCell> fixed_cells_in_bfloat16() {
#define ON_GPU(name, ...) on_gpu<__VA_ARGS__, Bfloat16>(name),
  static const DeviceCell all[] = {RNNFAST_CELLS(ON_GPU)};
#undef ON_GPU
  return all;
}

}  // namespace rnnfast
