// Launches whose blocks all run at once, so that they may meet (cuda/persistent/).
#pragma once

#include "cuda/chip.hpp"
#include "cuda/gpu_graph.cuh"
#include "cuda/gpu_launch.cuh"

namespace rnnfast {
namespace {

/// That of the thread's device.
inline Chip chip_of_device() {
  int device = 0;
  require(cudaGetDevice(&device));
  const auto fact = [&](cudaDeviceAttr of) {
    int found = 0;
    require(cudaDeviceGetAttribute(&found, of, device));
    return found;
  };
  Chip chip;
  chip.multiprocessors = fact(cudaDevAttrMultiProcessorCount);
  chip.capability =
      10 * fact(cudaDevAttrComputeCapabilityMajor) + fact(cudaDevAttrComputeCapabilityMinor);
  chip.resident_threads = resident_threads;
  chip.resident_bytes = fact(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  chip.is_cooperative = fact(cudaDevAttrCooperativeLaunch) != 0;
  return chip;
}

/// Whether a multiprocessor has room for a block of a kernel, as its compiler has left it.
template <class Kernel>
bool has_room(index shared_bytes) {
  const auto bytes = static_cast<int>(shared_bytes);
  require(cudaFuncSetAttribute(run_resident<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               bytes));
  int blocks = 0;
  require(cudaOccupancyMaxActiveBlocksPerMultiprocessor(
      &blocks, run_resident<Kernel>, resident_threads, static_cast<std::size_t>(bytes)));
  return blocks > 0;
}

/// Of a kernel that has room, no more blocks than there are multiprocessors.
template <class Kernel>
void launch_together(cudaStream_t stream, index blocks, index shared_bytes, const Kernel& kernel) {
  cudaLaunchAttribute together = {};
  together.id = cudaLaunchAttributeCooperative;
  together.val.cooperative = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(resident_threads);
  config.dynamicSmemBytes = static_cast<std::size_t>(shared_bytes);
  config.stream = stream;
  config.attrs = &together;
  config.numAttrs = 1;
  require(cudaLaunchKernelEx(&config, run_resident<Kernel>, kernel));
}

}  // namespace
}  // namespace rnnfast
