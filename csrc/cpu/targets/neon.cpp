// Advanced SIMD of 64-bit Arm: 32 registers of 4 floats, always there.
#if !defined(__aarch64__)
#error "the neon target is for aarch64"
#endif

#include "cpu/targets/own.hpp"

namespace rnnfast {

extern const ChosenCells chosen_neon;
extern const Target target_neon;
const Target target_neon = {"neon", Isa::neon, scalar_kernels(chosen_neon.single),
                            scalar_kernels(chosen_neon.twice)};

}  // namespace rnnfast
