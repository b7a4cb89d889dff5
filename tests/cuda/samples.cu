// The small kernels of sample_kernels.hpp, to be compiled.
#include "cuda/gpu_thread.cuh"
#include "sample_kernels.hpp"

namespace rnnfast {

__global__ void around_the_grid_kernel(float* at, int steps) {
  GpuThread m;
  around_the_grid(m, at, steps);
}
__global__ void around_the_cluster_kernel(float* at, int steps) {
  GpuThread m;
  around_the_cluster(m, at, steps);
}
template <class T>
__global__ void sum_of_block_kernel(const T* from, T* to) {
  GpuThread m;
  sum_of_block(m, from, to);
}
template __global__ void sum_of_block_kernel<float>(const float*, float*);
template __global__ void sum_of_block_kernel<double>(const double*, double*);
__global__ void backwards_kernel(const float* from, float* to) {
  GpuThread m;
  backwards(m, from, to);
}
__global__ void product_of_a_warp_kernel(const std::uint32_t* a, const std::uint32_t* b, float* c) {
  GpuThread m;
  product_of_a_warp(m, a, b, c);
}

}  // namespace rnnfast
