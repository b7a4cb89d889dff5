// Launches whose blocks all run at once, so that they may meet (cuda/persistent/).
#pragma once

#include "cuda/chip.hpp"
#include "cuda/gpu_graph.cuh"
#include "cuda/gpu_launch.cuh"

namespace rnnfast {
namespace {

/// What GPUs with clusters have been seen to take, if asked.
constexpr int most_cluster_blocks = 16;

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
  chip.resident_threads = fact(cudaDevAttrMaxThreadsPerBlock);
  chip.resident_bytes = fact(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  chip.is_cooperative = fact(cudaDevAttrCooperativeLaunch) != 0;
  if (chip.capability >= 90) chip.cluster_blocks = most_cluster_blocks;
  return chip;
}

/// How a kernel is launched: its grid may meet, or its clusters.
class ResidentConfig {
 public:
  ResidentConfig(const ResidentLaunch& as, cudaStream_t stream) {
    if (as.cluster == 0) {
      how_.id = cudaLaunchAttributeCooperative;
      how_.val.cooperative = 1;
    } else {
      how_.id = cudaLaunchAttributeClusterDimension;
      how_.val.clusterDim = {static_cast<unsigned>(as.cluster), 1, 1};
    }
    config_.gridDim = dim3(static_cast<unsigned>(as.blocks));
    config_.blockDim = dim3(static_cast<unsigned>(as.threads));
    config_.dynamicSmemBytes = static_cast<std::size_t>(as.shared_bytes);
    config_.stream = stream;
    config_.attrs = &how_;
    config_.numAttrs = 1;
  }
  ResidentConfig(const ResidentConfig&) = delete;
  ResidentConfig& operator=(const ResidentConfig&) = delete;

  const cudaLaunchConfig_t* get() const { return &config_; }

 private:
  cudaLaunchAttribute how_ = {};
  cudaLaunchConfig_t config_ = {};
};

/// Of blocks that any GPU with clusters takes together; more have to be asked for.
constexpr int portable_cluster = 8;

/// Whether blocks of a kernel, as its compiler has left it, have room where they are to meet. How
/// much memory a kernel may ask for holds for all streams of a device: so it is always all.
template <class Kernel>
bool has_room(const ResidentLaunch& as, const Chip& chip) {
  require(cudaFuncSetAttribute(run_resident<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(chip.resident_bytes)));
  int found = 0;
  if (as.cluster == 0) {
    require(cudaOccupancyMaxActiveBlocksPerMultiprocessor(
        &found, run_resident<Kernel>, as.threads, static_cast<std::size_t>(as.shared_bytes)));
    return found > 0;
  }
  if (as.cluster > portable_cluster) {
    require(cudaFuncSetAttribute(run_resident<Kernel>,
                                 cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
  }
  const ResidentConfig config(as, nullptr);
  const cudaError_t status =
      cudaOccupancyMaxActiveClusters(&found, run_resident<Kernel>, config.get());
  if (status != cudaSuccess) cudaGetLastError();  // a size that this GPU has not
  return status == cudaSuccess && found > 0;
}

/// Of a kernel that has room; where the grid meets, no more blocks than there are multiprocessors.
template <class Kernel>
void launch_together(cudaStream_t stream, const ResidentLaunch& as, const Kernel& kernel) {
  const ResidentConfig config(as, stream);
  require(cudaLaunchKernelEx(config.get(), run_resident<Kernel>, kernel));
}

}  // namespace
}  // namespace rnnfast
