// Whole sequences of float16 by the general driver, emulated.
#define RNNFAST_ONE_LANE

#include "../cuda/short_checks.hpp"
#include "emulation/stream.hpp"

namespace rnnfast {
namespace {

using emulation::EmulatedStream;

TEST(the_general_driver_in_float16) { check_all_cells<EmulatedStream, Float16>(); }

TEST(numbers_that_float16_has_not) { check_extremes<EmulatedStream, Float16>(); }

TEST(odd_sizes_in_float16) { check_odd_sizes<EmulatedStream, Float16>(); }

// As in test_cuda_general.cpp.
#if !defined(__SANITIZE_ADDRESS__)
TEST(the_general_driver_in_float16_with_chosen_activations) {
  check_all_chosen<EmulatedStream, Float16>();
}
#endif

}  // namespace
}  // namespace rnnfast
