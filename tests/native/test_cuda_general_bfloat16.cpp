// Whole sequences of bfloat16 by the general driver, emulated.
#define RNNFAST_ONE_LANE

#include "../cuda/pass_checks.hpp"
#include "emulation/stream.hpp"

namespace rnnfast {
namespace {

TEST(the_general_driver_in_bfloat16) {
  check_all_cells<emulation::EmulatedStream, Bfloat16>();
}

TEST(the_general_driver_in_bfloat16_with_chosen_activations) {
  check_all_chosen<emulation::EmulatedStream, Bfloat16>();
}

}  // namespace
}  // namespace rnnfast
