// bfloat16 by vdpbf16ps (Zen 4 2022, Cooper Lake 2020, Sapphire Rapids 2023, and later). All else
// of this target is AVX-512's.
#if !defined(__AVX512BF16__) || !defined(__AVX512VNNI__)
#error "the avx512_bf16 target needs what avx512 does, -mavx512bf16 -mavx512vnni"
#endif

#include "cpu/targets/formats.hpp"

namespace rnnfast {

extern const FormatKernels<float> avx512_bf16_bfloat16;
const FormatKernels<float> avx512_bf16_bfloat16 = format_kernels<Bf16>;

}  // namespace rnnfast
