// The small kernels of sample_kernels.hpp, to be compiled.
#include "cuda/gpu_launch.cuh"
#include "sample_kernels.hpp"

namespace rnnfast {

namespace {
template __global__ void run_kernel(AroundTheGrid);
template __global__ void run_kernel(AroundTheCluster);
template __global__ void run_kernel(SumOfBlock<float>);
template __global__ void run_kernel(SumOfBlock<double>);
template __global__ void run_kernel(Backwards);
template __global__ void run_kernel(ProductOfAWarp<Bfloat16>);
template __global__ void run_kernel(ProductOfAWarp<Float16>);
}  // namespace

}  // namespace rnnfast
