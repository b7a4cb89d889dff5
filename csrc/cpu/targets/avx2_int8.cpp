// AVX2 with FMA: 16 registers of 8 floats (Haswell 2013, Zen 2017, and later).
#if !defined(__AVX2__) || !defined(__FMA__) || defined(__AVX512F__)
#error "the avx2 target needs -mavx2 -mfma, and no AVX-512"
#endif

#include "cpu/targets/int8.hpp"

namespace rnnfast {

extern const Int8Kernels avx2_int8;
const Int8Kernels avx2_int8 = int8_kernels;

}  // namespace rnnfast
