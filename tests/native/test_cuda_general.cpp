// Whole sequences by the general driver, emulated.
#define RNNFAST_ONE_LANE

#include "../cuda/way_checks.hpp"
#include "emulation/stream.hpp"

namespace rnnfast {
namespace {

using emulation::EmulatedStream;

TEST(the_general_driver_gives_what_the_cpu_gives) { check_all_cells<EmulatedStream, float>(); }

TEST(whatever_is_kept_the_bits_are_the_same) { check_plans_of_all_cells<EmulatedStream, float>(); }

// What AddressSanitizer looks at, both types and all activations do alike, and it takes long to
// compile.
#if !defined(__SANITIZE_ADDRESS__)
TEST(the_general_driver_in_float64) { check_all_cells<EmulatedStream, double>(); }

TEST(the_general_driver_with_chosen_activations) {
  check_all_chosen<EmulatedStream, float>();
  check_all_chosen<EmulatedStream, double>();
}
#endif

}  // namespace
}  // namespace rnnfast
