// Cells of fixed activations in float32.
#include "cuda/gpu/cells.cuh"

namespace rnnfast {

std::span<const DeviceCell> fixed_cells_in_float32() {
#define ON_GPU(name, ...) on_gpu<__VA_ARGS__, float>(name),
  static const DeviceCell all[] = {RNNFAST_CELLS(ON_GPU)};
#undef ON_GPU
  return all;
}

}  // namespace rnnfast
