// What is kept in how many bits. Kernels are templates over `Stored`, the numbers of the caller's
// arrays and of operands; they compute in T, its scalar, which is float32 where those have 16 bits.
// With ~ for a number that is stored, rounded to nearest even:
//
//   a      = b + W~_ih x~ + W~_hh h~               operands of 16 bits, sums of T
//   gates, c, h          from a, c_prev, h_prev    all of T
//   y~, h_n~, c_n~                                 rounded as they are written
//
//   da, dc_prev, dh_prev from gates, c_prev, h_prev, dc, dh + dy~
//   dh_prev += W~_hh^T da~                         dx~ = W~_ih^T da~
//   dW~_hh = sum da~ h~    dW~_ih = sum da~ x~     db~ = sum da~
//
// So of 16 bits are the caller's arrays but for masks (1 / (1 - p) is none of their numbers),
// packed weights, and whatever is multiplied by them: x, h, f h of a second phase, m of a
// projection, and deltas. All else is of T: slots, biases, gains, weights of units, what is carried
// from step to step, sums, and deltas that wait for a product or a norm before they are operands.
//
// Products are why: tensor cores take operands of 16 bits, of half the bytes, and add up in
// float32. What is not multiplied gains little from 16 bits and loses much. Gates, which the
// backward pass reads again, lie where their sums were made, in T; and between 0.996 and 1 bfloat16
// has no number, so that the slope s (1 - s) of an open gate would be zero. A memory that changes
// by less than 2^-9 of itself a step would stay what it is. cuDNN, too, is given arrays of 16 bits
// and float32 as the type of its sums.
//
// Gradients of float16 are the caller's to scale: a delta below 2^-25 becomes zero.
#pragma once

#include "base/float16.hpp"
#include "cuda/machine.hpp"

namespace rnnfast {
namespace {

/// A number of an array as one to compute with, and back.
template <class T, class Stored, class Machine>
RNNFAST_BOTH inline T load_as(Machine& m, const Stored* from) {
  return converted<T>(m.load(from));
}
template <class T, class Stored, class Machine>
RNNFAST_BOTH inline void store_as(Machine& m, Stored* to, T value) {
  m.store(to, converted<Stored>(value));
}

/// Memory of numbers of one type as memory of the other's, where both are the same; else null.
template <class To, class From>
RNNFAST_BOTH inline To* if_same(From* array) {
  if constexpr (std::is_same_v<To, From>) {
    return array;
  } else {
    return nullptr;
  }
}

}  // namespace
}  // namespace rnnfast
