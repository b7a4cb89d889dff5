// A node's weights, checked, brought into the core's order and packed.
#pragma once

#include <vector>

#include "api/backend.hpp"
#include "doors/onnxruntime/host.hpp"
#include "doors/onnxruntime/node.hpp"
#include "doors/onnxruntime/quantized.hpp"

namespace rnnfast::onnx {

/// As ONNX has them, of D directions, G gates, H units and I inputs; matrices of whole numbers lie
/// as doors/onnxruntime/quantized.hpp says.
struct NodeWeights {
  Tensor w;  // (D, G*H, I)
  Tensor r;  // (D, G*H, H)
  Tensor b;  // (D, 2*G*H), those of W before those of R, or absent
  Tensor p;  // (D, 3*H), or absent
  Quantization of_w = {};
  Quantization of_r = {};
};

struct PackedNode {
  std::vector<Direction> directions;
  std::vector<Packed> packed;  // one for each
  index inputs;
  index units;
};

/// Throws std::invalid_argument for weights that do not fit the node.
PackedNode pack_node(Operator op, const Attributes& attributes, ElementType matrices,
                     const NodeWeights& given);

/// "(2, 3)"
std::string shape_text(const std::vector<std::int64_t>& shape);
/// Throws std::invalid_argument unless a tensor that is there has a shape.
void require_shape(const char* name, const Tensor& tensor, const std::vector<std::int64_t>& shape);

}  // namespace rnnfast::onnx
