// bfloat16, widened to vectors of NEON.

#include "cpu/targets/formats.hpp"

namespace rnnfast {

extern const FormatKernels<float> neon_bfloat16;
const FormatKernels<float> neon_bfloat16 = format_kernels<Bf16>;

}  // namespace rnnfast
