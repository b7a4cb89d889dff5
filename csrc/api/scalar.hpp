// The types of numbers: what a call computes in, and what weights are kept in.
#pragma once

#include "base/dims.hpp"

namespace rnnfast {

/// What states, gates and sums are; and what arrays hold, but for those of 16 bits on a device.
enum class ScalarType { float32, float64 };

/// What packed weights are kept in: the scalar's own type, whole or with a sparse W_hh, or a
/// shorter one, with which a call of float32 multiplies (gemm/format.hpp). On a device all arrays
/// of a call but masks hold it.
enum class StorageType { float32, float64, bfloat16, float16, int8, sparse };

constexpr const char* storage_names[] = {"float32", "float64", "bfloat16",
                                         "float16", "int8",    "sparse"};

constexpr const char* name_of(StorageType storage) {
  return storage_names[static_cast<int>(storage)];
}

constexpr StorageType storage_of(ScalarType scalar) {
  return scalar == ScalarType::float32 ? StorageType::float32 : StorageType::float64;
}

/// The types of a call; of a scalar alone, that its weights are of the same.
struct Precision {
  ScalarType scalar;
  StorageType storage;

  constexpr Precision(ScalarType scalar) : scalar(scalar), storage(storage_of(scalar)) {}
  constexpr Precision(ScalarType scalar, StorageType storage) : scalar(scalar), storage(storage) {}

  /// Whether weights are multiplied as they are given, all of them.
  constexpr bool is_plain() const { return storage == storage_of(scalar); }
  constexpr bool operator==(const Precision&) const = default;
};

/// Calls body(T{}) with the C++ type of a scalar.
template <class Body>
constexpr auto with_scalar(ScalarType scalar, Body&& body) {
  switch (scalar) {
    case ScalarType::float32:
      return body(float{});
    case ScalarType::float64:
      return body(double{});
  }
  __builtin_unreachable();
}

/// Bytes.
constexpr index size_of(ScalarType scalar) {
  return with_scalar(scalar, [](auto zero) { return static_cast<index>(sizeof(zero)); });
}
/// Of a number; none of sparse weights, which are of the scalar's type.
constexpr index size_of(StorageType storage) {
  constexpr index bytes[] = {4, 8, 2, 2, 1, 0};
  return bytes[static_cast<int>(storage)];
}

/// What numbers of a type are computed in.
constexpr ScalarType scalar_of(StorageType storage) {
  return storage == StorageType::float64 ? ScalarType::float64 : ScalarType::float32;
}

}  // namespace rnnfast
