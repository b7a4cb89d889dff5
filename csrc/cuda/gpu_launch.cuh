// Kernels on a GPU.
#pragma once

#include "cuda/gpu_thread.cuh"

namespace rnnfast {
namespace {

constexpr int gpu_threads = 128;  // of a block
// Half of what a multiprocessor of 2048 threads takes: with no number at all, ptxas has held 64-bit
// kernels to 40 registers and spilled.
constexpr int gpu_blocks_at_once = 8;

template <class Kernel>
__global__ void __launch_bounds__(gpu_threads, gpu_blocks_at_once) run_kernel(const Kernel kernel) {
  GpuThread thread;
  kernel(thread);
}

// Of a block that has a multiprocessor to itself, by a kernel of cuda/persistent/.
template <class Kernel>
constexpr int resident_threads = Kernel::template ProductOn<GpuThread>::most_threads;

template <class Kernel>
__global__ void __launch_bounds__(resident_threads<Kernel>, 1) run_resident(const Kernel kernel) {
  GpuThread thread;
  kernel(thread);
}

}  // namespace
}  // namespace rnnfast
