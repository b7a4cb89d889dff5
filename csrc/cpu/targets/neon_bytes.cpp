// Advanced SIMD of 64-bit Arm: 32 registers of 4 floats, always there.
#if !defined(__aarch64__)
#error "the neon target is for aarch64"
#endif

#include "cpu/targets/bytes.hpp"

namespace rnnfast {

extern const ByteKernels neon_bytes;
const ByteKernels neon_bytes = ByteProbes::table();

}  // namespace rnnfast
