// Every tile against a sum written out, and the rule that its size does not change a bit.
#include <cmath>
#include <limits>

#include "check.hpp"

namespace rnnfast {
namespace {

using testing::Random;

template <class T>
struct Product {
  index k;
  index columns;
  std::vector<T> a, b, start;
  Product(int rows, index k, index columns) : k(k), columns(columns) {
    Random random;
    a = random.vector<T>(rows * k);
    b = random.vector<T>(k * columns);
    start = random.vector<T>(rows * columns);
  }
  // The bound of a sum of k + 1 terms, each of at most 1 in size: (k + 1) eps times their sizes.
  void check(const std::vector<T>& c, int rows, const char* target, int vectors) const {
    for (int row = 0; row < rows; ++row) {
      for (index column = 0; column < columns; ++column) {
        long double sum = start[static_cast<std::size_t>(row * columns + column)];
        long double size = std::fabs(sum);
        for (index i = 0; i < k; ++i) {
          const long double term =
              static_cast<long double>(a[static_cast<std::size_t>(row * k + i)]) *
              b[static_cast<std::size_t>(i * columns + column)];
          sum += term;
          size += std::fabs(term);
        }
        const long double error =
            std::fabs(c[static_cast<std::size_t>(row * columns + column)] - sum);
        const long double bound =
            static_cast<long double>(k + 1) * std::numeric_limits<T>::epsilon() * size;
        CHECK(error <= bound, "%s %dx%d k=%d: off by %Lg, bound %Lg", target, rows, vectors,
              static_cast<int>(k), error, bound);
      }
    }
  }
};

TEST(tiles_are_right_at_every_size) {
  testing::for_each_kernel([](const Target& target, auto scalar) {
    using T = decltype(scalar);
    const ScalarKernels<T>& kernels = kernels_of<T>(target);
    const int lanes = kernels.fixed.cells[0].traits.lanes;
    for (int rows = 1; rows <= 8; ++rows) {
      for (int vectors = 1; vectors <= kernels.probes.widest_tile(rows); ++vectors) {
        if (rows > kernels.probes.tile_rows(vectors)) continue;
        for (const index k : {1, 2, 17, 64}) {
          const Product<T> product(rows, k, vectors * lanes);
          std::vector<T> c(static_cast<std::size_t>(rows * product.columns));
          kernels.probes.tile(rows, vectors, k, product.a.data(), product.b.data(),
                              product.start.data(), c.data(), 1);
          product.check(c, rows, target.name, vectors);
        }
      }
    }
  });
}

TEST(tiles_give_the_same_bits_at_every_height) {
  testing::for_each_kernel([](const Target& target, auto scalar) {
    using T = decltype(scalar);
    const ScalarKernels<T>& kernels = kernels_of<T>(target);
    for (int vectors = 1; vectors <= kernels.probes.tile_vectors; ++vectors) {
      const int tallest = kernels.probes.tile_rows(vectors);
      const index k = 37;
      const Product<T> product(tallest, k, vectors * kernels.fixed.cells[0].traits.lanes);
      const auto size = static_cast<std::size_t>(tallest * product.columns);
      std::vector<T> whole(size);
      std::vector<T> by_rows(size);
      kernels.probes.tile(tallest, vectors, k, product.a.data(), product.b.data(),
                          product.start.data(), whole.data(), 1);
      for (int row = 0; row < tallest; ++row) {
        kernels.probes.tile(1, vectors, k, product.a.data() + row * k, product.b.data(),
                            product.start.data() + row * product.columns,
                            by_rows.data() + row * product.columns, 1);
      }
      CHECK(whole == by_rows, "%s, %d vectors", target.name, vectors);
    }
  });
}

TEST(wide_tiles_give_the_bits_of_narrow_ones) {
  testing::for_each_kernel([](const Target& target, auto scalar) {
    using T = decltype(scalar);
    const ScalarKernels<T>& kernels = kernels_of<T>(target);
    for (const int rows : {1, 2}) {
      const int widest = kernels.probes.widest_tile(rows);
      const int lanes = kernels.fixed.cells[0].traits.lanes;
      const index k = 37;
      const Product<T> product(rows, k, widest * lanes);
      std::vector<T> whole(static_cast<std::size_t>(rows * product.columns));
      kernels.probes.tile(rows, widest, k, product.a.data(), product.b.data(), product.start.data(),
                          whole.data(), 1);
      for (int column = 0; column < product.columns; column += lanes) {
        const auto take = [&](const std::vector<T>& from, index count) {
          std::vector<T> part;
          for (index i = 0; i < count; ++i) {
            const T* row = from.data() + i * product.columns + column;
            part.insert(part.end(), row, row + lanes);
          }
          return part;
        };
        const std::vector<T> b = take(product.b, k);
        const std::vector<T> start = take(product.start, rows);
        std::vector<T> narrow(static_cast<std::size_t>(rows * lanes));
        kernels.probes.tile(rows, 1, k, product.a.data(), b.data(), start.data(), narrow.data(), 1);
        CHECK(narrow == take(whole, rows), "%s, %d rows, %d vectors", target.name, rows, widest);
      }
    }
  });
}

TEST(strip_tiles_add_to_their_sums) {
  testing::for_each_kernel([](const Target& target, auto scalar) {
    using T = decltype(scalar);
    const ScalarKernels<T>& kernels = kernels_of<T>(target);
    for (int vectors = 1; vectors <= kernels.probes.tile_vectors; ++vectors) {
      const int columns_in_strip = kernels.probes.tile_rows(vectors);
      const index k = 29;
      // The same product with A transposed, on top of a start that is the old sum.
      const Product<T> product(columns_in_strip, k, vectors * kernels.fixed.cells[0].traits.lanes);
      std::vector<T> strip(product.a.size());
      for (int column = 0; column < columns_in_strip; ++column) {
        for (index i = 0; i < k; ++i) {
          strip[static_cast<std::size_t>(i * columns_in_strip + column)] =
              product.a[static_cast<std::size_t>(column * k + i)];
        }
      }
      std::vector<T> sums = product.start;
      kernels.probes.strip_tile(columns_in_strip, vectors, k, strip.data(), product.b.data(),
                                sums.data());
      product.check(sums, columns_in_strip, target.name, vectors);
    }
  });
}

}  // namespace
}  // namespace rnnfast
