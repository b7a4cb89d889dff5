// A stream of a GPU as doors see it (api/device.hpp).
#pragma once

#include <cuda_runtime.h>

#include "api/device.hpp"
#include "cuda/blas.hpp"

namespace rnnfast {

class StreamOfGpu : public DeviceStream {
 public:
  virtual cudaStream_t handle() const = 0;
  /// Throws std::runtime_error until `product_library` has found one.
  virtual const Blas& blas() const = 0;
};

/// Cells of every kind and type: each file of them is compiled by itself.
std::span<const DeviceCell> fixed_cells_in_float32();
std::span<const DeviceCell> fixed_cells_in_float64();
std::span<const DeviceCell> fixed_cells_in_float16();
std::span<const DeviceCell> fixed_cells_in_bfloat16();
std::span<const DeviceCell> chosen_cells_in_float32();
std::span<const DeviceCell> chosen_cells_in_float64();
std::span<const DeviceCell> chosen_cells_in_float16();
std::span<const DeviceCell> chosen_cells_in_bfloat16();

}  // namespace rnnfast
