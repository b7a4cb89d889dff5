// AVX-512 F, VL, DQ, BW: 32 registers of 16 floats (Skylake-SP 2017, Zen 4 2022, and later).
#if !defined(__AVX512F__) || !defined(__AVX512VL__) || !defined(__AVX512DQ__) || \
    !defined(__AVX512BW__)
#error "the avx512 target needs -mavx512f -mavx512vl -mavx512dq -mavx512bw"
#endif

#include "cpu/targets/int8.hpp"

namespace rnnfast {

extern const Int8Kernels avx512_int8;
const Int8Kernels avx512_int8 = int8_kernels;

}  // namespace rnnfast
