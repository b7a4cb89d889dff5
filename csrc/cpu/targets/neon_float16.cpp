// float16, which NEON converts.

#include "cpu/targets/formats.hpp"

namespace rnnfast {

extern const FormatKernels<float> neon_float16;
const FormatKernels<float> neon_float16 = format_kernels<F16>;

}  // namespace rnnfast
