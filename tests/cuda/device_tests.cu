// The kernels on a GPU, against what they must give: what tests/native/ runs emulated.
#include "gpu_device.cuh"
#include "sample_checks.hpp"
#include "step_checks.hpp"

namespace rnnfast {
namespace {

TEST(all_that_a_thread_can_do) {
  GpuDevice device;
  check_round_the_grid(device);
  check_round_the_cluster(device);
  check_sums_of_blocks<float>(device);
  check_sums_of_blocks<double>(device);
  check_asynchronous_copies(device);
  check_a_product_of_a_warp(device);
}

TEST(kernels_of_one_step) { check_cells<GpuDevice>(); }

TEST(kernels_of_one_step_with_chosen_activations) { check_chosen_cells<GpuDevice>(); }

}  // namespace
}  // namespace rnnfast

/// All tests, or those whose names begin with an argument.
int main(int count, char** arguments) {
  using namespace rnnfast;
  cudaDeviceProp device;
  must(cudaGetDeviceProperties(&device, 0));
  std::printf("%s, compute capability %d.%d\n", device.name, device.major, device.minor);
  for (const testing::Case& test : testing::cases()) {
    if (count > 1 && test.name.rfind(arguments[1], 0) != 0) continue;
    const int before = testing::failures();
    test.body();
    std::printf("%s %s\n", testing::failures() == before ? "ok    " : "FAILED", test.name.c_str());
    std::fflush(stdout);
  }
  std::printf("%d checks failed\n", testing::failures());
  return testing::failures() != 0;
}
