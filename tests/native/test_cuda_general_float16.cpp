// Whole sequences of float16 by the general driver, emulated.
#define RNNFAST_ONE_LANE

#include "../cuda/pass_checks.hpp"
#include "emulation/stream.hpp"

namespace rnnfast {
namespace {

TEST(the_general_driver_in_float16) { check_all_cells<emulation::EmulatedStream, Float16>(); }

TEST(the_general_driver_in_float16_with_chosen_activations) {
  check_all_chosen<emulation::EmulatedStream, Float16>();
}

}  // namespace
}  // namespace rnnfast
