// A stream of a GPU as the general driver asks for one (cuda/general/device.hpp): memory, kernels
// and products in the stream's order. What a pass took is given back in that order too, once all
// that used it has been launched.
#pragma once

#include <cuda_runtime.h>

#include <new>
#include <stdexcept>

#include "cuda/blas.hpp"
#include "cuda/gpu_launch.cuh"

namespace rnnfast {
namespace {

/// Throws std::bad_alloc for refused memory, std::runtime_error for all else.
inline void require(cudaError_t status) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // not to be found again by the next call
  if (status == cudaErrorMemoryAllocation) throw std::bad_alloc();
  throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorName(status) + ", " +
                           cudaGetErrorString(status));
}

/// cuBLAS on one stream.
class BlasOnStream {
 public:
  BlasOnStream(const Blas& blas, cudaStream_t stream) : blas_(blas) {
    require("cublasCreate", blas.create(&handle_));
    require("cublasSetStream", blas.set_stream(handle_, stream));
  }
  BlasOnStream(const BlasOnStream&) = delete;
  BlasOnStream& operator=(const BlasOnStream&) = delete;
  ~BlasOnStream() { blas_.destroy(handle_); }

  template <class Stored>
  void multiply(const Product<Stored>& of) {
    require("cublasGemmEx", blas::multiply(blas_, handle_, of));
  }

 private:
  static void require(const char* what, int status) {
    if (status == 0) return;
    constexpr int not_allocated = 3;
    if (status == not_allocated) throw std::bad_alloc();
    throw std::runtime_error(std::string(what) + " failed with status " + std::to_string(status));
  }

  const Blas& blas_;
  void* handle_ = nullptr;
};

class GpuStream {
 public:
  GpuStream(cudaStream_t stream, BlasOnStream& blas) : stream_(stream), blas_(blas) {}
  GpuStream(const GpuStream&) = delete;
  GpuStream& operator=(const GpuStream&) = delete;
  ~GpuStream() {
    for (void* array : arrays_) cudaFreeAsync(array, stream_);
  }

  int threads() const { return gpu_threads; }

  template <class T>
  T* take(index count) {
    if (count == 0) return nullptr;
    arrays_.reserve(arrays_.size() + 1);
    void* array = nullptr;
    require(cudaMallocAsync(&array, static_cast<std::size_t>(count) * sizeof(T), stream_));
    arrays_.push_back(array);
    return static_cast<T*>(array);
  }
  template <class T>
  const T* copy(const std::vector<T>& numbers) {
    T* const array = take<T>(static_cast<index>(numbers.size()));
    // From memory that is not pinned: read before this returns.
    require(cudaMemcpyAsync(array, numbers.data(), numbers.size() * sizeof(T),
                            cudaMemcpyHostToDevice, stream_));
    return array;
  }

  template <class Kernel>
  void run(index blocks, index shared_bytes, const Kernel& kernel) {
    run_kernel<Kernel><<<static_cast<unsigned>(blocks), gpu_threads,
                         static_cast<std::size_t>(shared_bytes), stream_>>>(kernel);
    require(cudaPeekAtLastError());
  }

  template <class Stored>
  void multiply(const Product<Stored>& of) {
    if (of.rows > 0) blas_.multiply(of);
  }

 private:
  cudaStream_t stream_;
  BlasOnStream& blas_;
  std::vector<void*> arrays_;
};

}  // namespace
}  // namespace rnnfast
