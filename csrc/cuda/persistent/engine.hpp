// What a driver is put together from, for each phase of a step: a resident product, and an exchange
// of its operand. Two templates over the machine and what is stored; drivers are templates over
// both, and here is what they ask.
//
//   Product::shared_bytes(sizes, threads)      of a block, a multiple of 16
//   Product(m, first_byte, sizes)              by all threads of a block
//   load(m, rows)                              R, once; after it comes a barrier of the block
//   multiply(m, operand, rows)                 a chunk of the operand; before it a barrier
//   sum(m, row, q)                             after a barrier, of a row of the chunk
//
//   Exchange::shared_bytes(width, rows)        for operands of `width` numbers a row, and `rows` of
//                                              a group at most
//   Exchange(m, first_byte, share, width, rows)        by all threads of a block
//   begin(m, operand, rows)                    what the first product of a launch multiplies, which
//                                              lies in the device's memory, of all rows
//   publish(m, row, k, value)                  for the product after the next meeting, by the
//                                              thread that has written it into the device's memory
//   meet(m)                                    until all who share rows have published
//   operand(m, kept)                           after it, what to multiply: get(m, row, k), a number
//                                              to compute with, of any row of the group; `kept` is
//                                              where it lies in the device's memory
#pragma once

#include "cuda/persistent/division.hpp"
#include "cuda/stored.hpp"

namespace rnnfast {
namespace {

/// Rows of a matrix that a block keeps, Q = `groups` times `own` of K numbers each, those of absent
/// units not there:
///
///   forward     part p of unit u, all units' h        q = p U + u, K = H
///   backward    unit u, all deltas of a phase         q = u,       K = parts H
template <class Stored>
struct ResidentRows {
  const Stored* first;
  int parts;
  int own;    // U
  int there;  // of U
  int length;
  index part_stride;
  index unit_stride;
  index stride;  // from a number to the next

  RNNFAST_BOTH int count() const { return parts * own; }
  RNNFAST_BOTH bool is_there(int q) const { return q % own < there; }
  RNNFAST_BOTH const Stored* at(int q, int k) const {
    return first + q / own * part_stride + q % own * unit_stride + k * stride;
  }
};

/// W_hh of a phase, (parts, H, H).
template <class Stored>
RNNFAST_BOTH inline ResidentRows<Stored> rows_forward(const Stored* w, int parts,
                                                      const Division& by, const Share& share) {
  const index H = by.units;
  return {w + share.first * H,
          parts,
          static_cast<int>(by.own),
          static_cast<int>(share.units),
          static_cast<int>(H),
          H * H,
          H,
          1};
}

/// Its transpose, (H, parts H).
template <class Stored>
RNNFAST_BOTH inline ResidentRows<Stored> rows_backward(const Stored* w, int parts,
                                                       const Division& by, const Share& share) {
  const index H = by.units;
  return {w + share.first,
          1,
          static_cast<int>(by.own),
          static_cast<int>(share.units),
          static_cast<int>(parts * H),
          0,
          1,
          H};
}

/// How many rows of R a block keeps, of how many numbers, and how many rows of an operand it takes
/// at once.
struct ProductSizes {
  int count;       // Q
  int length;      // K
  int chunk_rows;  // a multiple of 8
};

RNNFAST_BOTH inline ProductSizes product_sizes(index count, index length, const Division& by) {
  return {static_cast<int>(count), static_cast<int>(length), static_cast<int>(by.chunk_rows)};
}

/// Rows of adjacent numbers in the device's memory.
template <class Stored>
struct RowsInMemory {
  const Stored* first;
  index stride;

  template <class Machine>
  RNNFAST_BOTH ScalarOf<Stored> get(Machine& m, index row, int k) const {
    // Of rows of one step, of which plans allow no more than an int counts.
    const int at = static_cast<int>(row) * static_cast<int>(stride) + k;
    return load_as<ScalarOf<Stored>>(m, first + at);
  }
};

/// A phase by its number, which is a constant.
template <int number>
struct Phase {
  static constexpr int value = number;
};

/// body(Phase) of each phase in turn.
template <int phases, int first = 0, class Body>
RNNFAST_BOTH inline void for_phases(const Body& body) {
  body(Phase<first>{});
  if constexpr (first + 1 < phases) for_phases<phases, first + 1>(body);
}

/// What takes part in a phase of a step: a resident product, and the exchange of its operand.
template <class Machine, class Stored, template <class, class> class Product,
          template <class, class> class Exchange>
struct Engine {
  Product<Machine, Stored> product;
  Exchange<Machine, Stored> exchange;

  RNNFAST_BOTH static int product_bytes(const ProductSizes& sizes, int threads) {
    return Product<Machine, Stored>::shared_bytes(sizes, threads);
  }
  RNNFAST_BOTH static int shared_bytes(const ProductSizes& sizes, const Division& by, int threads) {
    return product_bytes(sizes, threads) +
           Exchange<Machine, Stored>::shared_bytes(sizes.length, by.group_rows());
  }

  RNNFAST_BOTH Engine(Machine& m, int first_byte, const ProductSizes& sizes, const Division& by,
                      const Share& share)
      : product(m, first_byte, sizes),
        exchange(m, first_byte + product_bytes(sizes, m.threads()), share, sizes.length,
                 by.group_rows()) {}
};

/// Those of all phases, one after the other in a block's memory.
template <int phases, class Engine>
struct Engines {
  Engine engine;
  Engines<phases - 1, Engine> later;

  template <class Machine>
  RNNFAST_BOTH Engines(Machine& m, int first_byte, const ProductSizes* sizes, const Division& by,
                       const Share& share)
      : engine(m, first_byte, *sizes, by, share),
        later(m, first_byte + Engine::shared_bytes(*sizes, by, m.threads()), sizes + 1, by, share) {
  }

  RNNFAST_BOTH static int shared_bytes(const ProductSizes* sizes, const Division& by, int threads) {
    return Engine::shared_bytes(*sizes, by, threads) +
           Engines<phases - 1, Engine>::shared_bytes(sizes + 1, by, threads);
  }

  template <int phase>
  RNNFAST_BOTH auto& of() {
    if constexpr (phase == 0) {
      return engine;
    } else {
      return later.template of<phase - 1>();
    }
  }
};

template <class Engine>
struct Engines<0, Engine> {
  template <class Machine>
  RNNFAST_BOTH Engines(Machine&, int, const ProductSizes*, const Division&, const Share&) {}
  RNNFAST_BOTH static int shared_bytes(const ProductSizes*, const Division&, int) { return 0; }
};

}  // namespace
}  // namespace rnnfast
