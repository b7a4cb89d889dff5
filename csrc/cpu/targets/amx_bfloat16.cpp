// bfloat16 on the matrix unit (Sapphire Rapids 2023 and later). All else of this target is that of
// AVX-512 with BF16 and VNNI.
#include "cpu/targets/formats.hpp"

#if !defined(RNNFAST_MATRIX_UNIT) || !defined(__AVX512BF16__)
#error "the amx target needs what avx512_bf16 does, -mamx-tile -mamx-bf16"
#endif

namespace rnnfast {

extern const FormatKernels<float> amx_bfloat16;
const FormatKernels<float> amx_bfloat16 = training_format_kernels<Bf16>;

}  // namespace rnnfast
