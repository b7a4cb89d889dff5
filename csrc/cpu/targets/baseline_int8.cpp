// The target every processor of its architecture can run: SSE2 on x86-64. No fused multiply-add, so
// its last bits differ from those of the others.
#if defined(__AVX__)
#error "the baseline target must be compiled without AVX"
#endif

#include "cpu/targets/int8.hpp"

namespace rnnfast {

extern const Int8Kernels baseline_int8;
const Int8Kernels baseline_int8 = int8_kernels;

}  // namespace rnnfast
