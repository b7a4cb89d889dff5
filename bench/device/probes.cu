// What the drivers for GPUs will be made of, timed by itself: barriers of a grid and of clusters,
// kernels in a graph, the pointwise kernel of a step, reading the recurrent weights again and
// again. A line of CSV for each: what, size, microseconds, gigabytes a second where something is
// read.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cells/registry.hpp"
#include "cuda/gpu_launch.cuh"
#include "cuda/step.hpp"

namespace rnnfast {
namespace {

void must(cudaError_t status) {
  if (status == cudaSuccess) return;
  std::printf("CUDA: %s\n", cudaGetErrorString(status));
  std::exit(1);
}

/// Milliseconds of body(), the median of some after two that do not count.
template <class Body>
float median_ms(Body&& body) {
  cudaEvent_t begin;
  cudaEvent_t end;
  must(cudaEventCreate(&begin));
  must(cudaEventCreate(&end));
  std::vector<float> times;
  for (int i = -2; i < 9; ++i) {
    must(cudaEventRecord(begin));
    body();
    must(cudaEventRecord(end));
    must(cudaEventSynchronize(end));
    float ms;
    must(cudaEventElapsedTime(&ms, begin, end));
    if (i >= 0) times.push_back(ms);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void report(const char* what, const char* size, double us, double gigabytes_a_second = 0) {
  std::printf("%s,%s,%.3f,%.0f\n", what, size, us, gigabytes_a_second);
  std::fflush(stdout);
}

struct GridBarriers {
  int count;
  template <class Machine>
  __device__ void operator()(Machine& m) const {
    for (int i = 0; i < count; ++i) m.sync_grid();
  }
};

struct ClusterBarriers {
  int count;
  template <class Machine>
  __device__ void operator()(Machine& m) const {
    for (int i = 0; i < count; ++i) m.sync_cluster();
  }
};

/// An h of `bytes` for each block, written to all blocks of the cluster, and a barrier: a step's
/// exchange, without its product.
struct ClusterExchanges {
  int count;
  int words;
  template <class Machine>
  __device__ void operator()(Machine& m) const {
    const int all = words * m.cluster_blocks();
    const auto own = m.template shared<float>(0, 2 * all);
    for (int i = 0; i < count; ++i) {
      for (int rank = 0; rank < m.cluster_blocks(); ++rank) {
        const auto to = m.peer(own, rank);
        for (int w = m.thread(); w < words; w += m.threads()) {
          to.set(i % 2 * all + m.cluster_rank() * words + w, static_cast<float>(i));
        }
      }
      m.sync_cluster();
    }
  }
};

struct Nothing {
  float* to;
  template <class Machine>
  __device__ void operator()(Machine& m) const {
    if (m.thread() > 4096) m.store(to, 0.0f);  // never
  }
};

/// All blocks read all of an array, as each step reads R where it is not kept.
__global__ void __launch_bounds__(512)
    read_again(const float4* from, index count, int times, float* to) {
  float4 sum = {};
  for (int i = 0; i < times; ++i) {
    for (index at = blockIdx.x * index{blockDim.x} + threadIdx.x; at < count;
         at += index{gridDim.x} * blockDim.x) {
      const float4 v = __ldcg(from + at);
      sum.x += v.x, sum.y += v.y, sum.z += v.z, sum.w += v.w;
    }
  }
  if (sum.x + sum.y + sum.z + sum.w == 1.5f) *to = sum.x;
}

template <class Kernel>
void launch(const Kernel& kernel, int blocks, int threads, int cluster, int shared_bytes,
            cudaStream_t stream = nullptr) {
  auto* const function = run_kernel<Kernel>;
  must(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes));
  if (cluster > 8) {
    must(cudaFuncSetAttribute(function, cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
  }
  cudaLaunchAttribute attribute = {};
  if (cluster > 1) {
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim = {static_cast<unsigned>(cluster), 1, 1};
  } else {
    attribute.id = cudaLaunchAttributeCooperative;
    attribute.val.cooperative = 1;
  }
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = static_cast<std::size_t>(shared_bytes);
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = 1;
  must(cudaLaunchKernelEx(&config, function, kernel));
}

void time_barriers(int processors) {
  constexpr int count = 1000;
  char size[64];
  for (const int blocks : {processors, processors / 2, 16}) {
    const float ms = median_ms([&] { launch(GridBarriers{count}, blocks, 128, 1, 0); });
    std::snprintf(size, sizeof size, "%d blocks", blocks);
    report("barrier of a grid", size, 1000.0 * ms / count);
  }
  for (const int cluster : {2, 8, 16}) {
    const float ms = median_ms([&] { launch(ClusterBarriers{count}, cluster, 128, cluster, 0); });
    std::snprintf(size, sizeof size, "%d blocks", cluster);
    report("barrier of a cluster", size, 1000.0 * ms / count);
    for (const int words : {128, 1024}) {
      const int bytes = 2 * words * cluster * 4;
      const float exchange =
          median_ms([&] { launch(ClusterExchanges{count, words}, cluster, 128, cluster, bytes); });
      std::snprintf(size, sizeof size, "%d blocks, %d bytes of each to each", cluster, 4 * words);
      report("exchange within a cluster", size, 1000.0 * exchange / count);
    }
  }
}

/// Microseconds of a kernel among a thousand in a graph.
template <class Kernel>
double in_a_graph(const Kernel& kernel, int blocks) {
  constexpr int count = 1000;
  cudaStream_t stream;
  must(cudaStreamCreate(&stream));
  must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  for (int i = 0; i < count; ++i) {
    run_kernel<Kernel><<<static_cast<unsigned>(blocks), gpu_threads, 0, stream>>>(kernel);
  }
  must(cudaGetLastError());
  cudaGraph_t graph;
  cudaGraphExec_t runnable;
  must(cudaStreamEndCapture(stream, &graph));
  must(cudaGraphInstantiate(&runnable, graph, 0));
  const float ms = median_ms([&] { must(cudaGraphLaunch(runnable, nullptr)); });
  return 1000.0 * ms / count;
}

template <class Cell>
void time_step(const char* name, int rows, int units) {
  float* memory;
  const std::size_t numbers = static_cast<std::size_t>(rows) * static_cast<std::size_t>(units);
  must(cudaMalloc(&memory, numbers * (Cell::parts + 5) * sizeof(float)));
  must(cudaMemset(memory, 0, numbers * (Cell::parts + 5) * sizeof(float)));
  float* const states = memory + numbers * Cell::parts;
  const StateAfter<float> after = {{nullptr, 0, rows},
                                   {states + 2 * numbers, states + 3 * numbers},
                                   nullptr,
                                   {},
                                   {states + 4 * numbers, 0, units},
                                   {}};
  const Finish<Cell, float> finish = {Cell{{}, decltype(Cell::act)(nullptr)},
                                      units,
                                      memory,
                                      {states, states + numbers},
                                      after,
                                      nullptr};
  const auto blocks = static_cast<int>(rows * blocks_of_row(units, gpu_threads));
  char size[64];
  std::snprintf(size, sizeof size, "%s B%d H%d float32", name, rows, units);
  report("pointwise kernel in a graph", size, in_a_graph(finish, blocks));
  must(cudaFree(memory));
}

void time_reading(int processors) {
  float* to;
  must(cudaMalloc(&to, sizeof(float)));
  for (const double megabytes : {0.5, 2.4, 4.7, 9.4, 18.9, 32.0, 64.0, 4096.0}) {
    const index count = static_cast<index>(megabytes * (1 << 20)) / 16;
    float4* from;
    must(cudaMalloc(&from, static_cast<std::size_t>(count) * 16));
    must(cudaMemset(from, 0x3c, static_cast<std::size_t>(count) * 16));
    const int times = std::max(1, static_cast<int>(2048 / megabytes));
    const float ms = median_ms([&] {
      read_again<<<static_cast<unsigned>(2 * processors), 512>>>(from, count, times, to);
    });
    must(cudaGetLastError());
    char size[64];
    std::snprintf(size, sizeof size, "%.1f MiB", megabytes);
    const double bytes = static_cast<double>(count) * 16 * times;
    report("reading", size, 1000.0 * ms / times, bytes / ms / 1e6);
    must(cudaFree(from));
  }
}

}  // namespace
}  // namespace rnnfast

int main() {
  using namespace rnnfast;
  cudaDeviceProp device;
  must(cudaGetDeviceProperties(&device, 0));
  std::printf("# %s, %d multiprocessors, L2 %d bytes\n", device.name, device.multiProcessorCount,
              device.l2CacheSize);
  report("empty kernel in a graph", "1 block", in_a_graph(Nothing{nullptr}, 1));
  report("empty kernel in a graph", "96 blocks", in_a_graph(Nothing{nullptr}, 96));
  time_barriers(device.multiProcessorCount);
  time_step<Lstm<Usual, Forget::own>>("LSTM", 16, 768);
  time_step<Lstm<Usual, Forget::own>>("LSTM", 64, 512);
  time_step<Lstm<Usual, Forget::own>>("LSTM", 1, 256);
  time_step<Lstm<Usual, Forget::own>>("LSTM", 32, 128);
  time_step<Gru<Usual>>("GRU", 16, 768);
  time_reading(device.multiProcessorCount);
}
