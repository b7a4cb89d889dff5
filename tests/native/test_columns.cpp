// A product over B in columns, whole or from the middle of one on, against sums written out.
#include <cmath>
#include <limits>

#include "check.hpp"
#include "gemm/loops.hpp"

namespace rnnfast {
namespace {

using testing::Random;

template <class T>
struct ColumnProduct {
  static constexpr index N = lanes<T>;

  index k;
  index vectors;
  index rows;
  std::vector<T> a;
  std::vector<T> b;  // (K, vectors * N), as it is written
  std::vector<T> packed;
  Columns<Plain<T>, T> columns;

  ColumnProduct(index k, index vectors, index rows)
      : k(k),
        vectors(vectors),
        rows(rows),
        packed(static_cast<std::size_t>(Columns<Plain<T>>::size(k, vectors))),
        columns(packed.data(), k, vectors) {
    Random random;
    a = random.vector<T>(rows * k);
    b = random.vector<T>(k * row());
    for (index i = 0; i < k; ++i) {
      for (index vector = 0; vector < vectors; ++vector) {
        store(columns.at(vector) + i * columns.stride(), load(b.data() + i * row() + vector * N));
      }
    }
  }

  index row() const { return vectors * N; }

  void check(Span span) const {
    const std::vector<T> start = Random().template vector<T>(row());
    std::vector<T> c(static_cast<std::size_t>(rows * row()), T(7));
    std::vector<index> numbers(static_cast<std::size_t>(rows));
    for (index i = 0; i < rows; ++i) numbers[static_cast<std::size_t>(i)] = i;
    index finished = 0;
    const DenseRuns runs = dense_runs<Plain<T>>(k);
    multiply<Plain<T>>(Dense<Plain<T>>{{a.data(), numbers.data(), k}, runs},
                       Columns<Plain<T>>(packed.data(), k, vectors), span,
                       {start.data() + span.begin * N, numbers.data(), 0},
                       {c.data() + span.begin * N, numbers.data(), row()}, rows,
                       [&](index first, index count) {
                         CHECK(first == finished, "rows from %d on after %d",
                               static_cast<int>(first), static_cast<int>(finished));
                         finished += count;
                       });
    CHECK(finished == rows, "%d of %d rows", static_cast<int>(finished), static_cast<int>(rows));
    for (index r = 0; r < rows; ++r) {
      for (index column = 0; column < row(); ++column) {
        const T got = c[static_cast<std::size_t>(r * row() + column)];
        if (column < span.begin * N || column >= span.end * N) {
          CHECK(got == T(7), "column %d is not of the product", static_cast<int>(column));
          continue;
        }
        long double sum = start[static_cast<std::size_t>(column)];
        long double size = std::fabs(sum);
        for (index i = 0; i < k; ++i) {
          const long double term =
              static_cast<long double>(a[static_cast<std::size_t>(r * k + i)]) *
              b[static_cast<std::size_t>(i * row() + column)];
          sum += term;
          size += std::fabs(term);
        }
        const long double bound =
            static_cast<long double>(k + 1) * std::numeric_limits<T>::epsilon() * size;
        CHECK(std::fabs(got - sum) <= bound, "%dx%d k=%d: off by %Lg, bound %Lg",
              static_cast<int>(rows), static_cast<int>(vectors), static_cast<int>(k),
              std::fabs(got - sum), bound);
      }
    }
  }
};

template <class T>
void check_columns() {
  for (const index k : {1, 100, 1300}) {
    for (const index vectors : {1, 2, 3, 5, 8}) {
      for (const index rows : {1, 2, 3, 13}) {
        const ColumnProduct<T> product(k, vectors, rows);
        for (index begin = 0; begin < vectors; ++begin) {
          product.check({begin, vectors});
          product.check({begin, begin + 1});
        }
      }
    }
  }
}

TEST(a_product_over_columns_may_begin_in_the_middle_of_one) {
  check_columns<float>();
  check_columns<double>();
}

TEST(columns_are_even_and_no_wider_than_a_tile) {
  for (index vectors = 1; vectors <= 3 * tile_vectors; ++vectors) {
    const index width = column_width(vectors);
    const index columns = ceil_div(vectors, width);
    CHECK(width <= tile_vectors, "%d of %d", static_cast<int>(width), static_cast<int>(vectors));
    CHECK(columns == ceil_div(vectors, tile_vectors), "%d columns of %d vectors",
          static_cast<int>(columns), static_cast<int>(vectors));
    CHECK(columns * width - vectors < columns, "%d vectors lie unused",
          static_cast<int>(columns * width - vectors));
  }
}

}  // namespace
}  // namespace rnnfast
