// As avx2_float.cpp, for the other scalar type.
#if !defined(__AVX2__) || !defined(__FMA__) || defined(__AVX512F__)
#error "the avx2 target needs -mavx2 -mfma, and no AVX-512"
#endif

#include "cpu/targets/own.hpp"

namespace rnnfast {

extern const ScalarKernels<double> avx2_double;
const ScalarKernels<double> avx2_double = scalar_kernels<double>;

}  // namespace rnnfast
