// Advanced SIMD of 64-bit Arm: 32 registers of 4 floats, always there.
#if !defined(__aarch64__)
#error "the neon target is for aarch64"
#endif

#include "cpu/targets/own.hpp"

namespace rnnfast {

extern const ScalarKernels<float> neon_float;
const ScalarKernels<float> neon_float = scalar_kernels<float>;

}  // namespace rnnfast
