// bfloat16, widened, where nothing is known of the processor.
#if defined(__AVX__)
#error "the baseline target must be compiled without AVX"
#endif

#include "cpu/targets/formats.hpp"

namespace rnnfast {

extern const FormatKernels<float> baseline_bfloat16;
const FormatKernels<float> baseline_bfloat16 = format_kernels<Bf16>;

}  // namespace rnnfast
