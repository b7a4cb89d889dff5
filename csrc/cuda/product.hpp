// A product of matrices that lie in rows, as drivers ask a device for one.
#pragma once

#include "base/dims.hpp"
#include "base/float16.hpp"

namespace rnnfast {
namespace {

enum class Turn { as_it_is, transposed };

/// Rows of adjacent numbers.
template <class T>
struct Matrix {
  T* first;
  index stride;
  Turn turn = Turn::as_it_is;
};

enum class Sum { anew, added };

/// C (rows, columns) = A (rows, length) B (length, columns), or added to what C was. Sums are of
/// the scalar, and so is C: operands of 16 bits are multiplied exactly.
template <class Stored>
struct Product {
  index rows;
  index columns;
  index length;
  Matrix<const Stored> a;
  Matrix<const Stored> b;
  Matrix<ScalarOf<Stored>> c;
  Sum sum;
};

}  // namespace
}  // namespace rnnfast
