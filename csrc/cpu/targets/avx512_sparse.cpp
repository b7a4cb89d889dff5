// A sparse W_hh in vectors of AVX-512.
#if !defined(__AVX512F__) || !defined(__AVX512VL__) || !defined(__AVX512DQ__) || \
    !defined(__AVX512BW__)
#error "the avx512 target needs -mavx512f -mavx512vl -mavx512dq -mavx512bw"
#endif

#include "cpu/targets/sparse.hpp"

namespace rnnfast {

extern const SparseKernels avx512_sparse;
const SparseKernels avx512_sparse = sparse_kernels;

}  // namespace rnnfast
