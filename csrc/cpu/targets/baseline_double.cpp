// As baseline_float.cpp, for the other scalar type.
#if defined(__AVX__)
#error "the baseline target must be compiled without AVX"
#endif

#include "cpu/targets/own.hpp"

namespace rnnfast {

extern const ScalarKernels<double> baseline_double;
const ScalarKernels<double> baseline_double = scalar_kernels<double>;

}  // namespace rnnfast
