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
  check_a_product_of_a_warp<Bfloat16>(device);
  check_a_product_of_a_warp<Float16>(device);
}

TEST(kernels_of_one_step) { check_cells<GpuDevice>(); }

TEST(kernels_of_one_step_with_chosen_activations) { check_chosen_cells<GpuDevice>(); }

}  // namespace
}  // namespace rnnfast
