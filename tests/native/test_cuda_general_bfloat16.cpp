// Whole sequences of bfloat16 by the general driver, emulated.
#define RNNFAST_ONE_LANE

#include "../cuda/short_checks.hpp"
#include "../cuda/way_checks.hpp"
#include "emulation/stream.hpp"

namespace rnnfast {
namespace {

using emulation::EmulatedStream;

TEST(the_general_driver_in_bfloat16) { check_all_cells<EmulatedStream, Bfloat16>(); }

TEST(numbers_that_bfloat16_has_not) { check_extremes<EmulatedStream, Bfloat16>(); }

TEST(odd_sizes_in_bfloat16) { check_odd_sizes<EmulatedStream, Bfloat16>(); }

// As in test_cuda_general.cpp.
#if !defined(__SANITIZE_ADDRESS__)
TEST(the_general_driver_in_bfloat16_with_chosen_activations) {
  check_all_chosen<EmulatedStream, Bfloat16>();
}
#endif

TEST(whatever_is_kept_the_bits_are_the_same_in_bfloat16) {
  check_plans_of_all_cells<EmulatedStream, Bfloat16>();
}

}  // namespace
}  // namespace rnnfast
