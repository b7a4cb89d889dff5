// Products of bytes: every tile against whole numbers written out, alike on every instruction set;
// how rows are quantized; NaN and infinities.
#include <cmath>
#include <cstdint>
#include <limits>

#include "check.hpp"

namespace rnnfast {
namespace {

using testing::Random;

/// A row as whole numbers and their scale, as csrc/gemm/quantize.hpp says.
struct Quantized {
  std::vector<long> values;
  float scale = 0;
  Quantized(const float* row, index length) {
    float largest = 0;
    for (index i = 0; i < length; ++i) largest = std::max(largest, std::fabs(row[i]));
    scale = largest / 127;
    for (index i = 0; i < length; ++i) {
      values.push_back(largest > 0 ? std::lrint(row[i] * (127 / largest)) : 0);
    }
  }
};

/// C = A W^T of some random rows, with kernels of a target; `scales` as `Int8Kernels::pack` has it.
struct Product {
  int vectors;
  index k;
  index columns;
  std::vector<float> w;

  Product(int vectors, int lanes, index k) : vectors(vectors), k(k), columns(vectors * lanes) {
    w = Random().vector<float>(columns * k);
    for (index i = 0; i < k; ++i) w[static_cast<std::size_t>(i)] = 0;  // a row of zeros
  }
  std::vector<float> run(const Int8Kernels& kernels, const std::vector<float>& a, int rows,
                         const std::vector<float>& start, const float* scales = nullptr) const {
    std::vector<char> memory(kernels.packed_bytes(vectors, k) + 64);
    char* const packed = memory.data() + 64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64;
    kernels.pack(vectors, k, w.data(), scales, packed);
    std::vector<float> c(start.size());
    kernels.multiply(rows, vectors, k, a.data(), packed, start.data(), c.data());
    return c;
  }
};

void for_each_tile(void (*body)(const Target&, const Int8Kernels&, int rows, int vectors,
                                int lanes)) {
  for (const Target* target : available_targets()) {
    const int lanes = target->single.fixed.cells[0].traits.lanes;
    for (int vectors = 1; vectors <= target->single.probes.tile_vectors; ++vectors) {
      for (int rows = 1; rows <= target->int8.probes.tile_rows(vectors); ++rows) {
        body(*target, target->int8, rows, vectors, lanes);
      }
    }
  }
}

TEST(tiles_of_bytes_are_right_at_every_size) {
  for_each_tile(
      [](const Target& target, const Int8Kernels& kernels, int rows, int vectors, int lanes) {
        for (const index k : {1, 2, 3, 4, 5, 16, 17, 63, 64, 130}) {
          const Product product(vectors, lanes, k);
          std::vector<float> a = Random().vector<float>(rows * k);
          for (index i = 0; i < k; ++i) a[static_cast<std::size_t>(i)] *= 1000;
          const std::vector<float> start = Random().vector<float>(rows * product.columns);
          const std::vector<float> c = product.run(kernels, a, rows, start);
          for (int row = 0; row < rows; ++row) {
            const Quantized of_a(a.data() + row * k, k);
            for (index column = 0; column < product.columns; ++column) {
              const Quantized of_w(product.w.data() + column * k, k);
              long whole = 0;
              for (std::size_t i = 0; i < static_cast<std::size_t>(k); ++i) {
                whole += of_a.values[i] * of_w.values[i];
              }
              const auto at = static_cast<std::size_t>(row * product.columns + column);
              const double sum = static_cast<double>(whole) * of_a.scale * of_w.scale;
              const double bound = 2 * std::numeric_limits<float>::epsilon() *
                                   (std::fabs(sum) + std::fabs(static_cast<double>(start[at])));
              const double error = std::fabs(c[at] - (sum + static_cast<double>(start[at])));
              CHECK(error <= bound, "%s %dx%d k=%d: off by %g, bound %g", target.name, rows,
                    vectors, static_cast<int>(k), error, bound);
            }
          }
        }
      });
}

// Without an addition to round, fused or not, even the baseline gives the same.
TEST(products_of_bytes_are_the_same_on_every_target) {
  constexpr index k = 77;
  constexpr int columns = 16;  // a multiple of all lanes
  const std::vector<float> a = Random().vector<float>(k);
  const std::vector<float> start(columns, 0.0f);
  std::vector<float> first;
  for (const Target* target : available_targets()) {
    const int lanes = target->single.fixed.cells[0].traits.lanes;
    std::vector<float> whole;
    const Product all(columns / lanes, lanes, k);
    for (int column = 0; column < columns; column += lanes) {
      Product part(1, lanes, k);
      part.w.assign(all.w.begin() + column * k, all.w.begin() + (column + lanes) * k);
      const std::vector<float> c =
          part.run(target->int8, a, 1, std::vector<float>(static_cast<std::size_t>(lanes), 0.0f));
      whole.insert(whole.end(), c.begin(), c.end());
    }
    if (first.empty()) first = whole;
    CHECK(whole == first, "%s", target->name);
  }
}

// Beyond what sums of 16 bits hold, and what the largest sum of 32 bits is.
TEST(sums_of_bytes_do_not_saturate) {
  for_each_tile(
      [](const Target& target, const Int8Kernels& kernels, int rows, int vectors, int lanes) {
        constexpr index k = 1024;
        Product product(vectors, lanes, k);
        for (float& one : product.w) one = -128;
        const std::vector<float> ones(static_cast<std::size_t>(product.columns), 1.0f);
        const std::vector<float> a(static_cast<std::size_t>(rows * k), 1.0f);
        const std::vector<float> start(static_cast<std::size_t>(rows * product.columns), 0.0f);
        for (const float value : product.run(kernels, a, rows, start, ones.data())) {
          const float wanted = -128.0f * k;
          CHECK(std::fabs(value - wanted) <= 1, "%s %dx%d: %g", target.name, rows, vectors,
                static_cast<double>(value));
        }
      });
}

TEST(a_row_with_nan_or_infinities_gives_nan_and_no_other_does) {
  for_each_tile([](const Target& target, const Int8Kernels& kernels, int rows, int vectors,
                   int lanes) {
    constexpr index k = 37;
    const Product product(vectors, lanes, k);
    const std::vector<float> start(static_cast<std::size_t>(rows * product.columns), 0.5f);
    std::vector<float> a = Random().vector<float>(rows * k);
    const std::vector<float> whole = product.run(kernels, a, rows, start);
    for (const float harm :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      a[k - 1] = harm;
      const std::vector<float> c = product.run(kernels, a, rows, start);
      for (std::size_t i = 0; i < c.size(); ++i) {
        const bool harmed = i < static_cast<std::size_t>(product.columns);
        CHECK(harmed ? std::isnan(c[i]) : c[i] == whole[i], "%s %dx%d", target.name, rows, vectors);
      }
    }
  });
}

}  // namespace
}  // namespace rnnfast
