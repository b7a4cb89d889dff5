// Product formats: what the two operands of a product are stored in, and what it is summed in.
//
//   sum += a b            a one element of a row of A, for all lanes; b a vector of B
//
//             A            B           Sum      k in an element
//   Plain     T            T           T        1
//   Bf16      bfloat16     bfloat16    float    2
//   F16       float        float16     float    1
//
// An element of A or of B holds as many adjacent k as one multiplication may take: the K of rows
// and columns counts elements. It is added in passes, of which each takes its share of these k.
// Everything beside the operands (slots, biases, states, gates) is of the type of the sums.
#pragma once

#include "simd/bfloat16.hpp"
#include "simd/float16.hpp"

namespace rnnfast {
namespace {

template <class T>
struct Plain {
  using A = T;
  using B = T;
  using Sum = T;
  static constexpr index group = 1;  // k in an element
  static constexpr int passes = 1;

  /// An element for each lane, of vectors of its k.
  static void write(B* b, const Vec<T>* k) { store(b, *k); }
  static Vec<T> spread(const A& a, int) { return broadcast(a); }
  static Vec<T> read(const B* b, int) { return load(b); }
  static Vec<T> add(Vec<T> a, Vec<T> b, Vec<T> sum) { return fma(a, b, sum); }
};

using F32 = Plain<float>;
using F64 = Plain<double>;

struct Bf16 {
  using A = BfloatOperand;
  using B = BfloatPair;
  using Sum = float;
  static constexpr index group = 2;
  static constexpr int passes = bfloat16_passes;

  /// N adjacent k of a row, as elements of A.
  static void round(VecF k, A* a) { store_operands(a, k); }
  static void write(B* b, const VecF* k) { store_pairs(b, k[0], k[1]); }
  static auto spread(const A& a, int pass) { return spread_operand(a, pass); }
  static auto read(const B* b, int pass) { return read_pairs(b, pass); }
  template <class V>
  static VecF add(V a, V b, VecF sum) {
    return add_pairs(a, b, sum);
  }
};

struct F16 {
  using A = float;
  using B = Half;
  using Sum = float;
  static constexpr index group = 1;
  static constexpr int passes = 1;

  static void write(B* b, const VecF* k) { store_halves(b, *k); }
  static VecF spread(const A& a, int) { return broadcast(a); }
  static VecF read(const B* b, int) { return load_halves(b); }
  static VecF add(VecF a, VecF b, VecF sum) { return fma(a, b, sum); }
};

template <class F>
constexpr bool is_plain = false;
template <class T>
constexpr bool is_plain<Plain<T>> = true;

template <class T, class Other>
constexpr bool are_same = false;
template <class T>
constexpr bool are_same<T, T> = true;

/// Whether rows of A are made of rows of what is summed in.
template <class F>
constexpr bool rounds_operands = !are_same<typename F::A, typename F::Sum>;

/// Elements of A, or of a column of B, that so many k take.
template <class F>
constexpr index elements_of(index k) {
  return ceil_div(k, F::group);
}

}  // namespace
}  // namespace rnnfast
