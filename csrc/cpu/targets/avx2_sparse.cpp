// A sparse W_hh in vectors of AVX2.
#if !defined(__AVX2__) || !defined(__FMA__)
#error "the avx2 target needs -mavx2 -mfma"
#endif

#include "cpu/targets/sparse.hpp"

namespace rnnfast {

extern const SparseKernels avx2_sparse;
const SparseKernels avx2_sparse = sparse_kernels;

}  // namespace rnnfast
