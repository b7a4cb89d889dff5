// cuBLAS, of which nothing is there when this is compiled: what is used of it is declared here, and
// found in the library at run time. It counts columns first, so that it takes rows for the
// transpose of a matrix, and a product of rows for
//
//   C^T = B^T A^T
//
// cuBLAS repeats its bits on a stream of its own, not in batches of other sizes.
//
// What sums are made of, whatever is set elsewhere (NVIDIA_TF32_OVERRIDE, another library's mode):
//
//   float32             of float32, pedantically: no TF32, which would round operands to 11 bits
//   float16, bfloat16   of exact products in float32, on tensor cores; not pedantically, which may
//                       mean without them. C is float32 as well, so that where cuBLAS divides a sum
//                       among blocks, their shares are not rounded to 16 bits
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cuda/product.hpp"

namespace rnnfast {

/// Functions of cuBLAS 12 and later.
struct Blas {
  int (*create)(void** handle);
  int (*destroy)(void* handle);
  int (*set_stream)(void* handle, void* stream);
  int (*gemm)(void* handle, int turn_a, int turn_b, std::int64_t m, std::int64_t n, std::int64_t k,
              const void* alpha, const void* a, int type_a, std::int64_t stride_a, const void* b,
              int type_b, std::int64_t stride_b, const void* beta, void* c, int type_c,
              std::int64_t stride_c, int sums, int algorithm);
  int (*set_workspace)(void* handle, void* memory, std::size_t bytes);
};

/// What cuBLAS recommends for Hopper, and more than elsewhere: memory of a stream's own, without
/// which its bits may differ from call to call and a graph allocates.
constexpr index blas_workspace_bytes = index{32} << 20;

/// From the first of these libraries that the system's loader finds; they stay loaded. Throws
/// std::runtime_error that says what was tried, or what one of them lacks.
Blas load_blas(const std::vector<std::string>& libraries = {"libcublas.so.13", "libcublas.so.12"});

namespace blas {

// cudaDataType_t, cublasComputeType_t, cublasGemmAlgo_t, as both of cuBLAS's headers number them.
template <class T>
struct Number;
template <>
struct Number<float> {
  static constexpr int type = 0;   // CUDA_R_32F
  static constexpr int sums = 69;  // CUBLAS_COMPUTE_32F_PEDANTIC
};
template <>
struct Number<double> {
  static constexpr int type = 1;   // CUDA_R_64F
  static constexpr int sums = 70;  // CUBLAS_COMPUTE_64F
};
template <>
struct Number<Float16> {
  static constexpr int type = 2;   // CUDA_R_16F
  static constexpr int sums = 68;  // CUBLAS_COMPUTE_32F
};
template <>
struct Number<Bfloat16> {
  static constexpr int type = 14;  // CUDA_R_16BF
  static constexpr int sums = 68;  // CUBLAS_COMPUTE_32F
};
constexpr int default_algorithm = -1;

/// The status of the call; 0 if all is well.
template <class Stored>
inline int multiply(const Blas& by, void* handle, const Product<Stored>& of) {
  using T = ScalarOf<Stored>;
  using Is = Number<Stored>;
  const T alpha = 1;
  const T beta = of.sum == Sum::added ? T(1) : T(0);
  return by.gemm(handle, of.b.turn == Turn::transposed, of.a.turn == Turn::transposed, of.columns,
                 of.rows, of.length, &alpha, of.b.first, Is::type, of.b.stride, of.a.first,
                 Is::type, of.a.stride, &beta, of.c.first, Number<T>::type, of.c.stride, Is::sums,
                 default_algorithm);
}

}  // namespace blas
}  // namespace rnnfast
