// float16, which AVX2's processors convert (F16C).
#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "the avx2 target needs -mavx2 -mfma -mf16c"
#endif

#include "cpu/targets/formats.hpp"

namespace rnnfast {

extern const FormatKernels<float> avx2_float16;
const FormatKernels<float> avx2_float16 = format_kernels<F16>;

}  // namespace rnnfast
