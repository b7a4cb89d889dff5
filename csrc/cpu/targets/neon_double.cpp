// As neon_float.cpp, for the other scalar type.
#if !defined(__aarch64__)
#error "the neon target is for aarch64"
#endif

#include "cpu/targets/own.hpp"

namespace rnnfast {

extern const ScalarKernels<double> neon_double;
const ScalarKernels<double> neon_double = scalar_kernels<double>;

}  // namespace rnnfast
