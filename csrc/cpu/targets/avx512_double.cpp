// As avx512_float.cpp, for the other scalar type.
#if !defined(__AVX512F__) || !defined(__AVX512VL__) || !defined(__AVX512DQ__) || \
    !defined(__AVX512BW__)
#error "the avx512 target needs -mavx512f -mavx512vl -mavx512dq -mavx512bw"
#endif

#include "cpu/targets/own.hpp"

namespace rnnfast {

extern const ScalarKernels<double> avx512_double;
const ScalarKernels<double> avx512_double = scalar_kernels<double>;

}  // namespace rnnfast
