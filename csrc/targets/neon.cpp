// Advanced SIMD of 64-bit Arm: 32 registers of 4 floats, always there.
#if !defined(__aarch64__)
#error "the neon target is for aarch64"
#endif

#include "targets/kernels.hpp"

namespace rnnfast {

extern const Target target_neon;
const Target target_neon = {"neon", Isa::neon, scalar_kernels<float>(), scalar_kernels<double>()};

}  // namespace rnnfast
