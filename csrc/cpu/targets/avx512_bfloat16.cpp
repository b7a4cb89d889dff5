// bfloat16, widened to vectors of AVX-512.
#if !defined(__AVX512F__) || !defined(__AVX512VL__) || !defined(__AVX512DQ__) || \
    !defined(__AVX512BW__) || defined(__AVX512BF16__)
#error "the avx512 target needs -mavx512f -mavx512vl -mavx512dq -mavx512bw and no more"
#endif

#include "cpu/targets/formats.hpp"

namespace rnnfast {

extern const FormatKernels<float> avx512_bfloat16;
const FormatKernels<float> avx512_bfloat16 = format_kernels<Bf16>;

}  // namespace rnnfast
