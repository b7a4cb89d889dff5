// float16, which AVX-512 converts.
#if !defined(__AVX512F__) || !defined(__AVX512VL__) || !defined(__AVX512DQ__) || \
    !defined(__AVX512BW__)
#error "the avx512 target needs -mavx512f -mavx512vl -mavx512dq -mavx512bw"
#endif

#include "cpu/targets/formats.hpp"

namespace rnnfast {

extern const FormatKernels<float> avx512_float16;
const FormatKernels<float> avx512_float16 = format_kernels<F16>;

}  // namespace rnnfast
