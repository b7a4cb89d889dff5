// Matrices of whole numbers, as ONNX Runtime's DynamicQuantizeLSTM has them:
//
//   W[d, k, row] stands for  scale (q - zero_point)     (D, K, G*H), of int8 or uint8
//
// with a scale and a zero point for each direction, (D,), or for each gate and unit, (D, G*H).
#pragma once

#include <vector>

#include "api/scalar.hpp"
#include "doors/onnxruntime/host.hpp"

namespace rnnfast::onnx {

struct Quantization {
  Tensor scale;
  Tensor zero_point;  // or absent: zero
};

constexpr bool is_quantized(ElementType matrices) {
  return matrices == ElementType::int8 || matrices == ElementType::uint8;
}
/// The type of everything beside a node's matrices.
constexpr ScalarType scalar_of(ElementType matrices) {
  return matrices == ElementType::float64 ? ScalarType::float64 : ScalarType::float32;
}

/// Rows (G*H, K), whole multiples of the scales that go with them.
struct ScaledRows {
  std::vector<float> rows;
  std::vector<float> scales;
};

/// A direction of a matrix `name`, whose blocks of H rows come in an order. Throws
/// std::invalid_argument for scales that are none, and for numbers that are too large for a byte.
ScaledRows scaled_rows(const char* name, const Tensor& matrix, ElementType type,
                       const Quantization& of, std::size_t direction,
                       const std::vector<int>& order);

}  // namespace rnnfast::onnx
