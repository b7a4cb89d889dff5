// Whole sequences by the general driver on a GPU; PASS_STORED says of which type arrays are.
#define RNNFAST_ONE_LANE

#include "cuda/gpu_stream.cuh"
#include "gpu_device.cuh"
#include "pass_checks.hpp"

namespace rnnfast {
namespace {

const Blas& blas() {
  static const Blas found = load_blas();
  return found;
}

class DefaultStream : public GpuStream {
 public:
  using Device = GpuDevice;

  explicit DefaultStream(GpuDevice&) : GpuStream(nullptr, blas()) {}
};

TEST(the_general_driver_gives_what_the_cpu_gives) { check_all_cells<DefaultStream, PASS_STORED>(); }

TEST(the_general_driver_with_chosen_activations) { check_all_chosen<DefaultStream, PASS_STORED>(); }

}  // namespace
}  // namespace rnnfast
