// One step of every cell by the kernels of csrc/cuda/, emulated.
#define RNNFAST_ONE_LANE

#include "../cuda/step_checks.hpp"
#include "emulation/device.hpp"

namespace rnnfast {
namespace {

TEST(kernels_of_one_step_are_a_cells_equations_and_their_gradients) {
  check_cells<emulation::EmulatedDevice>();
}

TEST(kernels_of_one_step_with_chosen_activations) {
  check_chosen_cells<emulation::EmulatedDevice>();
}

}  // namespace
}  // namespace rnnfast
