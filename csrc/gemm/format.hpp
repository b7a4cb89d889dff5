// Product formats: what the two operands of a product are stored in, and what it is summed in.
//
//   sum += a b            a one element of a row of A, for all lanes; b a vector of B
//
//             A    B    Sum    k in an element
//   Plain     T    T    T      1
//
// An element of A or of B holds as many adjacent k as one multiplication takes: the K of rows and
// columns counts elements. Everything beside the operands (slots, biases, states, gates) is of the
// type of the sums.
#pragma once

#include "simd/vec.hpp"

namespace rnnfast {
namespace {

template <class T>
struct Plain {
  using A = T;
  using B = T;
  using Sum = T;
  static constexpr index group = 1;  // k in an element

  static void write(B* b, const Vec<T>* k) { store(b, *k); }
  static Vec<T> spread(A a) { return broadcast(a); }
  static Vec<T> read(const B* b) { return load(b); }
  static Vec<T> add(Vec<T> a, Vec<T> b, Vec<T> sum) { return fma(a, b, sum); }
};

using F32 = Plain<float>;
using F64 = Plain<double>;

/// Elements of A, or of a column of B, that so many k take.
template <class F>
constexpr index elements_of(index k) {
  return ceil_div(k, F::group);
}

}  // namespace
}  // namespace rnnfast
