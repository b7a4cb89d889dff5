#include "doors/onnxruntime/quantized.hpp"

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace rnnfast::onnx {
namespace {

/// Element `number` of bytes of either type.
int byte_at(const void* bytes, ElementType type, std::size_t number) {
  if (type == ElementType::int8) return static_cast<const std::int8_t*>(bytes)[number];
  return static_cast<const std::uint8_t*>(bytes)[number];
}

/// Where a row finds what is one a direction or one a row.
std::size_t place_of(const Tensor& tensor, std::size_t direction, std::size_t row) {
  if (tensor.shape.size() == 1) return direction;
  return direction * static_cast<std::size_t>(tensor.shape[1]) + row;
}

void require_for_rows(const std::string& name, const Tensor& tensor, const Tensor& matrix) {
  const std::int64_t directions = matrix.shape[0];
  const std::int64_t rows = matrix.shape[2];
  using Shape = std::vector<std::int64_t>;
  if (tensor.shape == Shape{directions} || tensor.shape == Shape{directions, rows}) return;
  throw std::invalid_argument(name + " must be one a direction, or one a direction, gate and unit");
}

}  // namespace

ScaledRows scaled_rows(const char* name, const Tensor& matrix, ElementType type,
                       const Quantization& of, std::size_t direction,
                       const std::vector<int>& order) {
  const std::string of_name = name;
  if (!of.scale.data) throw std::invalid_argument(of_name + "_scale must be there, got none");
  require_for_rows(of_name + "_scale", of.scale, matrix);
  if (of.zero_point.data) require_for_rows(of_name + "_zero_point", of.zero_point, matrix);
  const auto length = static_cast<std::size_t>(matrix.shape[1]);
  const auto count = static_cast<std::size_t>(matrix.shape[2]);
  const std::size_t units = count / order.size();
  ScaledRows found = {std::vector<float>(count * length), std::vector<float>(count)};
  for (std::size_t row = 0; row < count; ++row) {
    const std::size_t from = static_cast<std::size_t>(order[row / units]) * units + row % units;
    const float scale =
        static_cast<const float*>(of.scale.data)[place_of(of.scale, direction, from)];
    if (!(scale >= 0 && std::isfinite(scale))) {
      throw std::invalid_argument(of_name + "_scale must be finite and not below 0, got " +
                                  std::to_string(scale));
    }
    const int zero = of.zero_point.data ? byte_at(of.zero_point.data, type,
                                                  place_of(of.zero_point, direction, from))
                                        : 0;
    // Of a scale of zero all numbers are zero, whatever they are multiples of.
    found.scales[row] = scale > 0 ? scale : 1;
    for (std::size_t k = 0; k < length; ++k) {
      const int number = byte_at(matrix.data, type, (direction * length + k) * count + from) - zero;
      if (number < -128 || number > 127) {
        throw std::invalid_argument(of_name +
                                    " less its zero point must be from -128 to 127, got " +
                                    std::to_string(number));
      }
      found.rows[row * length + k] = static_cast<float>(number) * scale;
    }
  }
  return found;
}

}  // namespace rnnfast::onnx
