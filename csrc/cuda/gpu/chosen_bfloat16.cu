// Cells whose activations a call chooses, for arrays of bfloat16.
#include "cuda/gpu/cells.cuh"

namespace rnnfast {

std::span<const DeviceCell> chosen_cells_in_bfloat16() {
  using T = float;
#define ON_GPU(name, ...) on_gpu<__VA_ARGS__, Bfloat16>(name),
  static const DeviceCell all[] = {RNNFAST_CHOSEN_CELLS(ON_GPU)};
#undef ON_GPU
  return all;
}

}  // namespace rnnfast
