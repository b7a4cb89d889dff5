// Cells of fixed activations in float64.
#include "cuda/gpu/cells.cuh"

namespace rnnfast {

std::span<const DeviceCell> fixed_cells_in_float64() {
#define ON_GPU(name, ...) on_gpu<__VA_ARGS__, double>(name),
  static const DeviceCell all[] = {RNNFAST_CELLS(ON_GPU)};
#undef ON_GPU
  return all;
}

}  // namespace rnnfast
