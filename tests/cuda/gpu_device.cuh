// A GPU as tests see one: memory, and kernels that run. Any error of CUDA's ends the program.
#pragma once

#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "cuda/gpu_launch.cuh"

namespace rnnfast {
namespace {

inline void must(cudaError_t status) {
  if (status == cudaSuccess) return;
  std::printf("CUDA: %s\n", cudaGetErrorString(status));
  std::exit(1);
}

struct LaunchSizes {
  int blocks;
  int threads;
  int cluster = 1;
  int shared_bytes = 0;
};

class GpuDevice {
 public:
  GpuDevice() = default;
  GpuDevice(const GpuDevice&) = delete;
  GpuDevice& operator=(const GpuDevice&) = delete;
  ~GpuDevice() {
    for (void* array : arrays_) must(cudaFree(array));
  }

  template <class T>
  T* reserve(const char*, std::size_t count) {
    void* array = nullptr;
    must(cudaMalloc(&array, count * sizeof(T)));
    must(cudaMemset(array, 0xff, count * sizeof(T)));
    arrays_.push_back(array);
    return static_cast<T*>(array);
  }
  template <class T>
  T* copy(const char* name, const std::vector<T>& numbers) {
    T* const array = reserve<T>(name, numbers.size());
    write(array, numbers);
    return array;
  }
  template <class T>
  std::vector<T> numbers(const T* array, std::size_t count) const {
    std::vector<T> numbers(count);
    must(cudaMemcpy(numbers.data(), array, count * sizeof(T), cudaMemcpyDeviceToHost));
    return numbers;
  }
  template <class T>
  void write(T* array, const std::vector<T>& numbers) {
    must(cudaMemcpy(array, numbers.data(), numbers.size() * sizeof(T), cudaMemcpyHostToDevice));
  }
  /// How many numbers have all bits set, as they were reserved.
  template <class T>
  std::size_t unwritten(const T* array, std::size_t count) const {
    const unsigned char none[sizeof(double)] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    std::size_t found = 0;
    for (const T& number : numbers(array, count)) {
      found += std::memcmp(&number, none, sizeof(T)) == 0;
    }
    return found;
  }

  template <class Kernel>
  void run(const LaunchSizes& sizes, const Kernel& kernel) {
    cudaLaunchAttribute attributes[2] = {};
    attributes[0].id = cudaLaunchAttributeCooperative;
    attributes[0].val.cooperative = 1;
    attributes[1].id = cudaLaunchAttributeClusterDimension;
    attributes[1].val.clusterDim = {static_cast<unsigned>(sizes.cluster), 1, 1};
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(static_cast<unsigned>(sizes.blocks));
    config.blockDim = dim3(static_cast<unsigned>(sizes.threads));
    config.dynamicSmemBytes = static_cast<std::size_t>(sizes.shared_bytes);
    config.attrs = attributes;
    config.numAttrs = sizes.cluster > 1 ? 2 : 1;
    must(cudaLaunchKernelEx(&config, run_kernel<Kernel>, kernel));
    must(cudaDeviceSynchronize());
  }

 private:
  std::vector<void*> arrays_;
};

}  // namespace
}  // namespace rnnfast
