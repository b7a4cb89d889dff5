// The inputs of a node as operands of a call, and what each must be like. A graph may come from
// anybody, and is known in full only when it runs: so this is where operands are looked at.
#pragma once

#include <array>

#include "doors/tensorflow/node.hpp"

namespace rnnfast::tensorflow {

/// The shape that an operand of a call has.
Shape shape_of(const FlatCall& call, Operand which);

/// The first inputs of a node, in the order of the operands.
class OperandTensors {
 public:
  OperandTensors(TF_OpKernelContext* call, TF_Status* status);

  /// The call that these are operands of. Throws std::invalid_argument where they do not fit each
  /// other or the cell.
  FlatCall call(const Recurrence& of) const;
  /// Throws std::invalid_argument unless these are operands of a call like this one.
  void require(const FlatCall& call) const;

  Operands data() const;

 private:
  bool has(Operand which) const { return shape(which) != absent; }
  const Shape& shape(Operand which) const { return shapes_[static_cast<std::size_t>(which)]; }

  std::array<Tensor, operand_count> tensors_;
  std::array<Shape, operand_count> shapes_;
};

}  // namespace rnnfast::tensorflow
