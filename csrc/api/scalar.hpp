// The types of numbers: what a call computes in, and what weights and tapes are kept in.
#pragma once

#include "base/dims.hpp"

namespace rnnfast {

/// What arrays hold and kernels compute in.
enum class ScalarType { float32, float64 };

/// What packed weights and tapes are kept in: as yet what is computed in. Shorter types get their
/// place here.
enum class StorageType { float32, float64 };

constexpr StorageType storage_of(ScalarType scalar) {
  return scalar == ScalarType::float32 ? StorageType::float32 : StorageType::float64;
}

/// Calls body(T{}) with the C++ type of a scalar.
template <class Body>
constexpr auto with_scalar(ScalarType scalar, Body&& body) {
  return scalar == ScalarType::float32 ? body(float{}) : body(double{});
}

/// Bytes.
constexpr index size_of(ScalarType scalar) {
  return with_scalar(scalar, [](auto zero) { return static_cast<index>(sizeof(zero)); });
}

}  // namespace rnnfast
