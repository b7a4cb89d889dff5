// Whole sequences of bfloat16 by the general driver, emulated.
#define RNNFAST_ONE_LANE

#include "../cuda/way_checks.hpp"
#include "emulation/stream.hpp"

namespace rnnfast {
namespace {

TEST(the_general_driver_in_bfloat16) { check_all_cells<emulation::EmulatedStream, Bfloat16>(); }

TEST(the_general_driver_in_bfloat16_with_chosen_activations) {
  check_all_chosen<emulation::EmulatedStream, Bfloat16>();
}

TEST(whatever_is_kept_the_bits_are_the_same_in_bfloat16) {
  check_plans_of_all_cells<emulation::EmulatedStream, Bfloat16>();
}

}  // namespace
}  // namespace rnnfast
