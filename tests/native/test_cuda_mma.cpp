// The resident product on tensor cores, against sums of doubles.
#define RNNFAST_ONE_LANE

#include <cmath>

#include "check.hpp"
#include "cuda/persistent/staged_product.hpp"
#include "emulation/device.hpp"

namespace rnnfast {
namespace {

using emulation::EmulatedThread;
using emulation::LaunchSizes;
using testing::Random;

template <class Machine, class Stored>
using FewKept = StagedMmaProduct<Machine, Stored, 2, 1>;
template <class Machine, class Stored>
using ManyKept = StagedMmaProduct<Machine, Stored, 1, 3>;

/// sums (B, parts U) of a block's share: all that a driver does with a product.
template <template <class, class> class Product, class Stored>
struct ProductOfABlock {
  ResidentRows<Stored> of;
  RowsInMemory<Stored> operand;
  ProductSizes sizes;
  int rows;
  float* sums;

  template <class Machine>
  void operator()(Machine& m) const {
    Product<Machine, Stored> product(m, 0, sizes);
    product.load(m, of);
    m.sync();
    for (int begin = 0; begin < rows; begin += sizes.chunk_rows) {
      const Span chunk = {begin, smaller(begin + sizes.chunk_rows, rows)};
      m.sync();
      product.multiply(m, operand, chunk);
      m.sync();
      const int count = static_cast<int>(chunk.size()) * sizes.count;
      for (int i = m.thread(); i < count; i += m.threads()) {
        const float sum = product.sum(m, i / sizes.count, i % sizes.count);
        m.store(sums + begin * sizes.count + i, sum);
      }
    }
  }
};

template <class Stored>
std::vector<Stored> numbers(Random& random, index count) {
  std::vector<Stored> found;
  for (const float x : random.vector<float>(count)) found.push_back(nearest<Stored>(x));
  return found;
}

struct Case {
  int parts;
  int units;  // H
  int own;
  int first;  // the share's first unit
  int rows;
  int chunk_rows;
  int threads;
};

/// R of a share, (parts, H, H), or its transpose.
template <template <class, class> class Product, class Stored>
void check(const Case& of, bool backward) {
  Random random;
  emulation::EmulatedDevice device;
  const index H = of.units;
  const index K = backward ? of.parts * H : H;
  const auto r = numbers<Stored>(random, of.parts * H * H);
  const auto b = numbers<Stored>(random, of.rows * K);
  Division by = {of.rows, H, of.own, ceil_div(H, of.own), 1, of.chunk_rows};
  struct {
    int block() const { return number; }
    int number;
  } block = {of.first / of.own};
  const Share share(block, by);
  const Stored* const there = device.copy("R", r);
  const ResidentRows<Stored> rows = backward ? rows_backward(there, of.parts, by, share)
                                             : rows_forward(there, of.parts, by, share);
  const ProductSizes sizes = product_sizes(rows.count(), K, by);
  const auto count = static_cast<std::size_t>(of.rows * sizes.count);
  float* const sums = device.reserve<float>("sums", count);
  device.run(
      {1, of.threads, 1, Product<EmulatedThread, Stored>::shared_bytes(sizes, of.threads)},
      ProductOfABlock<Product, Stored>{rows, {device.copy("operand", b), K}, sizes, of.rows, sums});
  const std::vector<float> got = device.numbers(sums, count);
  for (int row = 0; row < of.rows; ++row) {
    for (int q = 0; q < sizes.count; ++q) {
      double wanted = 0;
      for (int k = 0; k < K && rows.is_there(q); ++k) {
        wanted += double(widened(r[static_cast<std::size_t>(rows.at(q, k) - there)])) *
                  double(widened(b[static_cast<std::size_t>(row * K + k)]));
      }
      const auto found = double(got[static_cast<std::size_t>(row * sizes.count + q)]);
      CHECK(std::fabs(found - wanted) < 1e-5, "H %d, row %d of %d, sum %d: %g, wanted %g", of.units,
            row, of.rows, q, found, wanted);
    }
  }
}

template <template <class, class> class Product, class Stored>
void check_all() {
  for (const bool backward : {false, true}) {
    check<Product, Stored>({4, 16, 16, 0, 8, 8, 128}, backward);
    check<Product, Stored>({4, 40, 16, 32, 8, 8, 160}, backward);
    check<Product, Stored>({3, 27, 8, 24, 5, 8, 96}, backward);
    check<Product, Stored>({1, 70, 24, 24, 17, 16, 128}, backward);
    check<Product, Stored>({2, 33, 33, 0, 1, 8, 224}, backward);
  }
}

TEST(sums_of_a_block_on_tensor_cores) {
  check_all<FewKept, Bfloat16>();
  check_all<FewKept, Float16>();
  check_all<ManyKept, Bfloat16>();
  check_all<ManyKept, Float16>();
}

}  // namespace
}  // namespace rnnfast
