// bfloat16, widened to vectors of AVX2.
#if !defined(__AVX2__) || !defined(__FMA__)
#error "the avx2 target needs -mavx2 -mfma"
#endif

#include "cpu/targets/formats.hpp"

namespace rnnfast {

extern const FormatKernels<float> avx2_bfloat16;
const FormatKernels<float> avx2_bfloat16 = format_kernels<Bf16>;

}  // namespace rnnfast
