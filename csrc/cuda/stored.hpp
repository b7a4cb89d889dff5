// What is kept in how many bits. Kernels are templates over `Stored`, what the caller's arrays and
// the operands of products hold; they compute in T, its scalar: float32 where that is of 16 bits.
// With ~ for a number as it is stored, rounded to nearest even,
//
//   a  = b + W~_ih x~ + W~_hh h~              the first product of a step; h~ is h, masked
//   gates, c, h  from a, c_prev, h_prev       all of T
//   y  = h~        h_n, c_n                   rounded once, as they are written
//   da = da~       da, dc, dh  from gates, c_prev, h_prev, dc, dh + dy~
//   dh = (what passes the cell by) + W~_hh^T da~          dx~ = W~_ih^T da~
//   dW~_hh = sum da~ h~    dW~_ih = sum da~ x~    db~ = sum da~      added up in T
//
//   Stored   the caller's arrays but for masks; packed weights; x, h and whatever else is
//   multiplied,
//            m of a projection and f h of a second phase; deltas once they are complete
//   T        slots, biases, gains and weights of units; states from step to step and their
//            gradients; masks, whose 1 / (1 - p) is no number of 16 bits
//
// Products are what the width of operands is paid for: on tensor cores they cost half the bytes and
// a fraction of the time. All else is rounded no more often than it is multiplied. That holds for
// gates too, which a backward pass reads again: bfloat16 has no number between 0.996 and 1, so that
// the slope s (1 - s) of an open gate would become zero; and they lie where their sums were
// made, so that storing them in 16 bits would be one more array. cuDNN, too, adds up in float32 and
// multiplies 16 bits; its states between steps are as wide as its arrays. What a
// product must wait for, partial deltas, waits in T, and is rounded when it is complete.
//
// Gradients of float16 are the caller's to scale: a delta below 2^-24 is zero.
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
inline To* if_same(From* array) {
  if constexpr (std::is_same_v<To, From>) {
    return array;
  } else {
    return nullptr;
  }
}

}  // namespace
}  // namespace rnnfast
