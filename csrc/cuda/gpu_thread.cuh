// A thread of a GPU (cuda/machine.hpp).
#pragma once

#include <cooperative_groups.h>
#include <cuda_pipeline.h>

#include <cstdint>

#include "base/float16.hpp"
#include "cuda/machine.hpp"

namespace rnnfast {
namespace {

extern __shared__ __align__(16) unsigned char block_memory[];

template <class T>
struct Shared {
  T* first;
  __device__ T get(int i) const { return first[i]; }
  __device__ void set(int i, T value) const { first[i] = value; }
};

class GpuThread {
 public:
  __device__ int thread() const { return static_cast<int>(threadIdx.x); }
  __device__ int threads() const { return static_cast<int>(blockDim.x); }
  __device__ int block() const { return static_cast<int>(blockIdx.x); }
  __device__ int blocks() const { return static_cast<int>(gridDim.x); }

  template <class T>
  __device__ T load(const T* from) const {
    return *from;
  }
  template <class T>
  __device__ void store(T* to, T value) const {
    *to = value;
  }
  template <class T>
  __device__ Shared<T> shared(int first, int) const {
    return {reinterpret_cast<T*>(block_memory + first)};
  }

  __device__ void sync() const { __syncthreads(); }
  /// The launch was cooperative.
  __device__ void sync_grid() const { cooperative_groups::this_grid().sync(); }

  template <class T>
  __device__ T shuffle_xor(T value, int mask) const {
    return __shfl_xor_sync(0xffffffffu, value, mask);
  }

  template <class T>
  __device__ void copy_async(const Shared<T>& to, int i, const T* from) const {
    __pipeline_memcpy_async(to.first + i, from, 16);
  }
  __device__ void finish_copies() const {
    __pipeline_commit();
    __pipeline_wait_prior(0);
  }

  template <class Stored>
  __device__ void mma(float (&d)[4], const std::uint32_t (&a)[4],
                      const std::uint32_t (&b)[2]) const {
    if constexpr (std::is_same_v<Stored, Bfloat16>) {
      asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
          "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
          : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    } else {
      static_assert(std::is_same_v<Stored, Float16>);
      asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
          "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
          : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    }
  }

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  __device__ int cluster_rank() const {
    return static_cast<int>(cooperative_groups::this_cluster().block_rank());
  }
  __device__ int cluster_blocks() const {
    return static_cast<int>(cooperative_groups::this_cluster().num_blocks());
  }
  template <class T>
  __device__ Shared<T> peer(const Shared<T>& of, int rank) const {
    return {
        cooperative_groups::this_cluster().map_shared_rank(of.first, static_cast<unsigned>(rank))};
  }
  __device__ void sync_cluster() const { cooperative_groups::this_cluster().sync(); }
#else
  // No clusters: kernels that have them are compiled, and never launched.
  __device__ int cluster_rank() const { return 0; }
  __device__ int cluster_blocks() const { return 1; }
  template <class T>
  __device__ Shared<T> peer(const Shared<T>& of, int) const {
    return of;
  }
  __device__ void sync_cluster() const { __trap(); }
#endif
};

}  // namespace
}  // namespace rnnfast
