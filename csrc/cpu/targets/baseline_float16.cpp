// float16, converted by integers, where nothing is known of the processor.
#if defined(__AVX__)
#error "the baseline target must be compiled without AVX"
#endif

#include "cpu/targets/formats.hpp"

namespace rnnfast {

extern const FormatKernels<float> baseline_float16;
const FormatKernels<float> baseline_float16 = format_kernels<F16>;

}  // namespace rnnfast
