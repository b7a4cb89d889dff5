// Products as cuBLAS is asked for them, by one that is written here as its manual describes it.
#define RNNFAST_ONE_LANE

#include <cmath>
#include <stdexcept>

#include "check.hpp"
#include "cuda/blas.hpp"

namespace rnnfast {
namespace {

/// C = alpha op(A) op(B) + beta C, columns first: op(A) is (m, k), op(B) (k, n), C (m, n).
template <class T>
int multiply_columns_first(int turn_a, int turn_b, index m, index n, index k, const void* alpha,
                           const void* a, index lda, const void* b, index ldb, const void* beta,
                           void* c, index ldc) {
  if (lda < (turn_a ? k : m) || ldb < (turn_b ? n : k) || ldc < m) return 7;  // INVALID_VALUE
  const auto at = [](const void* of, int turn, index row, index column, index stride) {
    return static_cast<const T*>(of)[turn ? row * stride + column : column * stride + row];
  };
  for (index i = 0; i < m; ++i) {
    for (index j = 0; j < n; ++j) {
      T sum = 0;
      for (index l = 0; l < k; ++l) sum += at(a, turn_a, i, l, lda) * at(b, turn_b, l, j, ldb);
      T& to = static_cast<T*>(c)[j * ldc + i];
      const T kept = *static_cast<const T*>(beta);
      to = *static_cast<const T*>(alpha) * sum + (kept == 0 ? T(0) : kept * to);
    }
  }
  return 0;
}

int gemm(void*, int turn_a, int turn_b, std::int64_t m, std::int64_t n, std::int64_t k,
         const void* alpha, const void* a, int type_a, std::int64_t lda, const void* b, int type_b,
         std::int64_t ldb, const void* beta, void* c, int type_c, std::int64_t ldc, int sums, int) {
  if (type_a != type_b || type_a != type_c) return 15;  // NOT_SUPPORTED
  constexpr int float32 = 0, float64 = 1, pedantic32 = 69, sums64 = 70;
  if (type_a == float32 && sums == pedantic32) {
    return multiply_columns_first<float>(turn_a, turn_b, m, n, k, alpha, a, lda, b, ldb, beta, c,
                                         ldc);
  }
  if (type_a == float64 && sums == sums64) {
    return multiply_columns_first<double>(turn_a, turn_b, m, n, k, alpha, a, lda, b, ldb, beta, c,
                                          ldc);
  }
  return 15;
}

constexpr Blas by_hand = {nullptr, nullptr, nullptr, gemm, nullptr};

/// A matrix that lies in rows longer than its own.
template <class T>
Matrix<const T> matrix(const std::vector<T>& numbers, index rows, index columns, Turn turn) {
  return {numbers.data(), (turn == Turn::as_it_is ? columns : rows) + 2, turn};
}

template <class T>
T number(const Matrix<const T>& of, index row, index column) {
  return of.turn == Turn::as_it_is ? of.first[row * of.stride + column]
                                   : of.first[column * of.stride + row];
}

template <class T>
void check_product(Turn turn_a, Turn turn_b, Sum sum) {
  constexpr index rows = 3, columns = 5, length = 4, stride = 8;
  testing::Random random;
  const std::vector<T> a = random.vector<T>(100);
  const std::vector<T> b = random.vector<T>(100);
  const std::vector<T> before = random.vector<T>(rows * stride);
  std::vector<T> c = before;
  const Product<T> of = {rows,
                         columns,
                         length,
                         matrix(a, rows, length, turn_a),
                         matrix(b, length, columns, turn_b),
                         {c.data(), stride},
                         sum};
  CHECK(blas::multiply(by_hand, nullptr, of) == 0, "refused");
  for (index i = 0; i < rows; ++i) {
    for (index j = 0; j < stride; ++j) {
      const auto place = static_cast<std::size_t>(i * stride + j);
      T wanted = j < columns && sum == Sum::anew ? T(0) : before[place];
      for (index k = 0; j < columns && k < length; ++k) {
        wanted += number(of.a, i, k) * number(of.b, k, j);
      }
      CHECK(std::fabs(c[place] - wanted) < T(1e-5), "%d %d: %g, not %g", static_cast<int>(i),
            static_cast<int>(j), static_cast<double>(c[place]), static_cast<double>(wanted));
    }
  }
}

TEST(products_of_rows_are_products_of_columns) {
  for (const Turn a : {Turn::as_it_is, Turn::transposed}) {
    for (const Turn b : {Turn::as_it_is, Turn::transposed}) {
      for (const Sum sum : {Sum::anew, Sum::added}) {
        check_product<float>(a, b, sum);
        check_product<double>(a, b, sum);
      }
    }
  }
}

std::string refusal(const std::vector<std::string>& libraries) {
  try {
    load_blas(libraries);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(a_library_that_is_missing_is_named) {
  const std::string said = refusal({"libno_such_blas.so.13", "libno_such_blas.so.12"});
  CHECK(said.find("cuBLAS was not found: ") == 0, "%s", said.c_str());
  CHECK(said.find("libno_such_blas.so.13") != std::string::npos, "%s", said.c_str());
  CHECK(said.find("libno_such_blas.so.12") != std::string::npos, "%s", said.c_str());
}

#if defined(__GLIBC__)
TEST(another_library_is_told_from_cublas) {
  const std::string said = refusal({"libno_such_blas.so.13", "libm.so.6"});
  CHECK(said == "libm.so.6 is no cuBLAS of 12 or later: it has no cublasCreate_v2", "%s",
        said.c_str());
}
#endif

}  // namespace
}  // namespace rnnfast
