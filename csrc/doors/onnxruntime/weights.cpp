#include "doors/onnxruntime/weights.hpp"

#include <algorithm>
#include <stdexcept>

namespace rnnfast::onnx {
namespace {

/// Blocks of `size` numbers in another order, `negated` of them with the other sign.
template <class T>
std::vector<T> reordered(const T* from, const std::vector<int>& order, std::size_t size,
                         int negated) {
  std::vector<T> to(order.size() * size);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const T* const block = from + static_cast<std::size_t>(order[i]) * size;
    const auto at = to.begin() + static_cast<std::ptrdiff_t>(i * size);
    std::copy(block, block + size, at);
    if (static_cast<int>(i) == negated) std::transform(block, block + size, at, std::negate<T>());
  }
  return to;
}

template <class T>
Packed pack_direction(const Direction& direction, ElementType matrices, const Dims& dims,
                      const NodeWeights& given, std::size_t number, std::size_t gates) {
  const auto units = static_cast<std::size_t>(dims.units);
  const auto inputs = static_cast<std::size_t>(dims.inputs);
  const auto of = [&](const Tensor& tensor, std::size_t part, std::size_t block,
                      const std::vector<int>& order) {
    if (!tensor.data) return std::vector<T>();
    const T* const data = static_cast<const T*>(tensor.data);
    return reordered(data + part * gates * block, order, block, direction.negated);
  };
  const std::vector<T> b_ih = of(given.b, 2 * number, units, direction.gates);
  const std::vector<T> b_hh = of(given.b, 2 * number + 1, units, direction.gates);
  std::vector<T> of_units;
  if (given.p.data) {
    const T* const data = static_cast<const T*>(given.p.data) + number * 3 * units;
    of_units = reordered(data, direction.peepholes, units, direction.negated);
  }
  WeightSet<const void> arrays;
  const auto set = [&](WeightId id, const std::vector<T>& array) {
    if (!array.empty()) arrays[id] = array.data();
  };
  set(WeightId::b_ih, b_ih);
  set(WeightId::b_hh, b_hh);
  set(WeightId::of_units, of_units);
  const ScalarType scalar = scalar_of(matrices);
  if constexpr (std::is_same_v<T, float>) {
    if (is_quantized(matrices)) {
      const auto w_ih = scaled_rows("W", given.w, matrices, given.of_w, number, direction.gates);
      const auto w_hh = scaled_rows("R", given.r, matrices, given.of_r, number, direction.gates);
      set(WeightId::w_ih, w_ih.rows);
      set(WeightId::w_hh, w_hh.rows);
      arrays.scales = {w_ih.scales.data(), w_hh.scales.data()};
      return cpu_backend().pack({direction.cell, scalar, dims, arrays}, StorageType::int8);
    }
  }
  const std::vector<T> w_ih = of(given.w, number, units * inputs, direction.gates);
  const std::vector<T> w_hh = of(given.r, number, units * units, direction.gates);
  set(WeightId::w_ih, w_ih);
  set(WeightId::w_hh, w_hh);
  return cpu_backend().pack({direction.cell, scalar, dims, arrays});
}

}  // namespace

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "(" + text + ")";
}

void require_shape(const char* name, const Tensor& tensor, const std::vector<std::int64_t>& shape) {
  if (!tensor.data || tensor.shape == shape) return;
  throw std::invalid_argument(std::string(name) + " must have the shape " + shape_text(shape) +
                              ", got " + shape_text(tensor.shape));
}

PackedNode pack_node(Operator op, const Attributes& attributes, ElementType matrices,
                     const NodeWeights& given) {
  PackedNode node = {directions_of(op, attributes, given.p.data != nullptr), {}, 0, 0};
  const std::int64_t gates = gates_of(op);
  const auto directions = static_cast<std::int64_t>(node.directions.size());
  if (given.w.shape.size() != 3 || given.r.shape.size() != 3) {
    throw std::invalid_argument("W and R must have 3 axes, got " + shape_text(given.w.shape) +
                                " and " + shape_text(given.r.shape));
  }
  const bool quantized = is_quantized(matrices);
  const auto row_length = [&](const Tensor& matrix) { return matrix.shape[quantized ? 1 : 2]; };
  const std::int64_t units = attributes.hidden_size ? attributes.hidden_size : row_length(given.r);
  const std::int64_t inputs = row_length(given.w);
  if (units < 1 || inputs < 1) {
    throw std::invalid_argument("hidden_size and the inputs of W must be at least 1, got " +
                                std::to_string(units) + " and " + std::to_string(inputs));
  }
  const auto shape_of = [&](std::int64_t length) {
    using Shape = std::vector<std::int64_t>;
    const std::int64_t rows = gates * units;
    return quantized ? Shape{directions, length, rows} : Shape{directions, rows, length};
  };
  require_shape("W", given.w, shape_of(inputs));
  require_shape("R", given.r, shape_of(units));
  require_shape("B", given.b, {directions, 2 * gates * units});
  require_shape("P", given.p, {directions, 3 * units});
  node.inputs = inputs;
  node.units = units;
  const Dims dims = {0, 0, inputs, units};
  for (std::size_t i = 0; i < node.directions.size(); ++i) {
    node.packed.push_back(with_scalar(scalar_of(matrices), [&](auto zero) {
      return pack_direction<decltype(zero)>(node.directions[i], matrices, dims, given, i,
                                            static_cast<std::size_t>(gates));
    }));
  }
  return node;
}

}  // namespace rnnfast::onnx
