// A sparse W_hh where nothing is known of the processor.
#if defined(__AVX__)
#error "the baseline target must be compiled without AVX"
#endif

#include "cpu/targets/sparse.hpp"

namespace rnnfast {

extern const SparseKernels baseline_sparse;
const SparseKernels baseline_sparse = sparse_kernels;

}  // namespace rnnfast
