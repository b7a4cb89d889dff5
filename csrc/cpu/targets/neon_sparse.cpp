// A sparse W_hh in vectors of NEON.

#include "cpu/targets/sparse.hpp"

namespace rnnfast {

extern const SparseKernels neon_sparse;
const SparseKernels neon_sparse = sparse_kernels;

}  // namespace rnnfast
