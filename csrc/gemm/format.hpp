// Product formats: what the two operands of a product are stored in, and what it is summed in.
//
//   sum += a b            a one element of a row of A, for all lanes; b a vector of B
//
//             A            B           Sum      k in an element
//   Plain     T            T           T        1
//   Bf16      bfloat16     bfloat16    float    2     on a matrix unit in blocks
//   (gemm/matrix_tile.hpp)
//   F16       float        float16     float    1
//   W8        u8           s8          float    4     whole numbers with scales
//   (gemm/byte_tile.hpp)
//   Sparse    T            T           T        1     of recurrent weights only some
//   (gemm/sparse_tile.hpp)
//
// An element of A or of B holds as many adjacent k as one multiplication may take: the K of rows
// and columns counts elements. It is added in passes, of which each takes its share of these k.
// Everything beside the operands (slots, biases, states, gates) is of the type of the sums.
#pragma once

#include "simd/bfloat16.hpp"
#include "simd/float16.hpp"
#include "simd/matrix_unit.hpp"

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

template <class T>
struct Sparse : Plain<T> {};

struct Bf16 {
  using A = BfloatOperand;
  using B = BfloatPair;
  using Sum = float;
  static constexpr index group = 2;
  static constexpr int passes = bfloat16_passes;

  /// N adjacent k of a row, as elements of A.
  static void round(VecF k, A* a) { store_operands(a, k); }
  /// N columns of adjacent rows of A as elements of B, whose k are the rows.
  static void turn(const A* const (&rows)[group], B* b) { pair_rows(rows[0], rows[1], b); }
  /// Elements of B, or of A.
  template <class Element>
  static void write(Element* to, const VecF* k) {
    store_pairs(to, k[0], k[1]);
  }
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

template <class F>
constexpr bool is_sparse = false;
template <class T>
constexpr bool is_sparse<Sparse<T>> = true;

template <class T, class Other>
constexpr bool are_same = false;
template <class T>
constexpr bool are_same<T, T> = true;

/// Whether whole tiles are an instruction's (gemm/matrix_tile.hpp).
template <class F>
constexpr bool on_matrix_unit = false;
#if defined(RNNFAST_MATRIX_UNIT)
template <>
constexpr bool on_matrix_unit<Bf16> = true;
#endif

/// Elements of k that one multiplication takes.
template <class F>
constexpr index elements_at_once = on_matrix_unit<F> ? matrix_pairs : 1;

/// Runs of k that are summed in one chain (gemm/tile.hpp). Where operands have 8 bits, a longer
/// chain errs little beside them, and C is read and written less often.
template <class F>
constexpr index runs_in_chain = 1;
template <>
constexpr index runs_in_chain<Bf16> = 4;

/// Whether rows of A are made of rows of what is summed in.
template <class F>
constexpr bool rounds_operands = !are_same<typename F::A, typename F::Sum>;

/// Whether numbers are quantized: whole ones with scales, which columns of B begin with.
template <class F>
concept Quantized = requires { F::head; };

/// Bytes of a packed weight, as plans count them.
template <class F>
constexpr int weight_bytes = static_cast<int>(sizeof(typename F::B) / F::group);
// A guess: most weights of W_hh are not kept, and plans are made before it is known how many.
template <class T>
constexpr int weight_bytes<Sparse<T>> = 1;

/// Elements of A, or of a column of B, that so many k take.
template <class F>
constexpr index elements_of(index k) {
  return ceil_div(k, F::group);
}

}  // namespace
}  // namespace rnnfast
