// Advanced SIMD of 64-bit Arm: 32 registers of 4 floats, always there.
#if !defined(__aarch64__)
#error "the neon target is for aarch64"
#endif

#include "cpu/targets/int8.hpp"

namespace rnnfast {

extern const Int8Kernels neon_int8;
const Int8Kernels neon_int8 = int8_kernels;

}  // namespace rnnfast
