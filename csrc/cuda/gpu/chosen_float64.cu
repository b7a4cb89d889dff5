// Cells whose activations a call chooses, in float64.
#include "cuda/gpu/cells.cuh"

namespace rnnfast {

std::span<const DeviceCell> chosen_cells_in_float64() {
  using T = double;
#define ON_GPU(name, ...) on_gpu<__VA_ARGS__, double>(name),
  static const DeviceCell all[] = {RNNFAST_CHOSEN_CELLS(ON_GPU)};
#undef ON_GPU
  return all;
}

}  // namespace rnnfast
