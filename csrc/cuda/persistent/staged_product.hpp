// A product on tensor cores of an operand that lies in the device's memory: all threads bring a
// chunk of it into the block's own first. So it comes once to each block, whatever warps make of
// it, and all of it is waited for at once.
#pragma once

#include "cuda/persistent/mma_product.hpp"

namespace rnnfast {
namespace {

template <class Machine, class Stored, int tiles, int kept>
class StagedMmaProduct {
  using Product = MmaProduct<Machine, Stored, tiles, kept>;
  using Quads = decltype(std::declval<Machine&>().template shared<Quad>(0, 0));

 public:
  static constexpr int most_threads = Product::most_threads;
  static constexpr index multiplications_worth_it = Product::multiplications_worth_it;

  RNNFAST_BOTH static int shared_bytes(const ProductSizes& of, int threads) {
    return MmaRows(of.length).quads(of.chunk_rows) * quad_bytes +
           Product::shared_bytes(of, threads);
  }

  RNNFAST_BOTH StagedMmaProduct(Machine& m, int first_byte, const ProductSizes& of)
      : length_(of.length),
        at_(of.length),
        quads_(m.template shared<Quad>(first_byte, at_.quads(of.chunk_rows))),
        product_(m, first_byte + at_.quads(of.chunk_rows) * quad_bytes, of) {}

  RNNFAST_BOTH void load(Machine& m, const ResidentRows<Stored>& from) { product_.load(m, from); }

  RNNFAST_BOTH void multiply(Machine& m, const RowsInMemory<Stored>& operand,
                             const Span& rows) const {
    const int of_row = at_.spans * 4;
    const int all = static_cast<int>(rows.size()) * of_row;
    RNNFAST_UNROLL(4)
    for (int i = m.thread(); i < all; i += m.threads()) {
      const int row = i / of_row;
      const int k = i % of_row * 8;
      const Stored* const from = operand.first + (rows.begin + row) * operand.stride + k;
      quads_.set(at_.at(row, k) / 8, quad_of(m, from, length_ - k));
    }
    m.sync();
    product_.multiply(m, Chunk{quads_, at_, rows.begin}, rows);
  }

  RNNFAST_BOTH float sum(Machine& m, int row, int q) const { return product_.sum(m, row, q); }

 private:
  struct Chunk {
    Quads quads;
    MmaRows at;
    index begin;
    RNNFAST_BOTH int first_quad(index row) const {
      return at.first_quad(static_cast<int>(row - begin));
    }
  };

  int length_;
  MmaRows at_;
  Quads quads_;
  Product product_;
};

}  // namespace
}  // namespace rnnfast
