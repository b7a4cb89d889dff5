// Products as cuBLAS is asked for them, by one that is written here as its manual describes it.
#define RNNFAST_ONE_LANE

#include <cmath>
#include <stdexcept>

#include "check.hpp"
#include "cuda/blas.hpp"

namespace rnnfast {
namespace {

/// C = alpha op(A) op(B) + beta C, columns first: op(A) is (m, k), op(B) (k, n), C (m, n).
template <class Stored>
int multiply_columns_first(int turn_a, int turn_b, index m, index n, index k, const void* alpha,
                           const void* a, index lda, const void* b, index ldb, const void* beta,
                           void* c, index ldc) {
  using T = ScalarOf<Stored>;
  if (lda < (turn_a ? k : m) || ldb < (turn_b ? n : k) || ldc < m) return 7;  // INVALID_VALUE
  const auto at = [](const void* of, int turn, index row, index column, index stride) {
    const index place = turn ? row * stride + column : column * stride + row;
    return converted<T>(static_cast<const Stored*>(of)[place]);
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
  // Of the table of what is supported those that are asked for, with scale factors as C.
  constexpr int float32 = 0, float64 = 1, float16 = 2, bfloat16 = 14;
  constexpr int sums32 = 68, pedantic32 = 69, sums64 = 70;
  const auto is = [&](int of_operands, int of_c, int of_sums) {
    return type_a == of_operands && type_b == of_operands && type_c == of_c && sums == of_sums;
  };
  const auto by = [&](auto function) {
    return function(turn_a, turn_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  };
  if (is(float32, float32, pedantic32)) return by(multiply_columns_first<float>);
  if (is(float64, float64, sums64)) return by(multiply_columns_first<double>);
  if (is(float16, float32, sums32)) return by(multiply_columns_first<Float16>);
  if (is(bfloat16, float32, sums32)) return by(multiply_columns_first<Bfloat16>);
  return 15;  // NOT_SUPPORTED
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

template <class Stored>
std::vector<Stored> drawn(testing::Random& random, index count) {
  std::vector<Stored> numbers;
  for (const float number : random.vector<float>(count)) {
    numbers.push_back(converted<Stored>(number));
  }
  return numbers;
}

template <class Stored>
void check_product(Turn turn_a, Turn turn_b, Sum sum) {
  using T = ScalarOf<Stored>;
  constexpr index rows = 3, columns = 5, length = 4, stride = 8;
  testing::Random random;
  const std::vector<Stored> a = drawn<Stored>(random, 100);
  const std::vector<Stored> b = drawn<Stored>(random, 100);
  const std::vector<T> before = random.vector<T>(rows * stride);
  std::vector<T> c = before;
  const Product<Stored> of = {rows,
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
        wanted += converted<T>(number(of.a, i, k)) * converted<T>(number(of.b, k, j));
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
        check_product<Float16>(a, b, sum);
        check_product<Bfloat16>(a, b, sum);
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
