// A node of a graph: what its attributes say, and the tensors of one call of it.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "doors/flat_call.hpp"
#include "doors/tensorflow/status.hpp"

namespace rnnfast::tensorflow {

/// What a node computes, whichever way. Its attributes have the names of these.
struct Recurrence {
  CellSpec cell;        // "cell": its words (doors/words.hpp)
  ScalarType scalar;    // "T"
  Axes axes;            // "batch_first"
  Direction direction;  // "reverse"
  index truncate;       // "truncate"
};
ScalarType read_scalar(TF_OpKernelConstruction* of, TF_Status* status);
Recurrence read_recurrence(TF_OpKernelConstruction* of, TF_Status* status);
std::vector<bool> read_bools(TF_OpKernelConstruction* of, const char* name, TF_Status* status);

/// As tensors of operands and results have: of three axes at most.
struct Shape {
  int axes = 0;
  std::array<std::int64_t, 3> sizes = {};

  Shape() = default;
  Shape(std::initializer_list<index> of);
  bool operator==(const Shape&) const = default;
  std::string text() const;
};

struct DeleteTensor {
  void operator()(TF_Tensor* tensor) const { c_api().delete_tensor(tensor); }
};
using Tensor = std::unique_ptr<TF_Tensor, DeleteTensor>;

Tensor input(TF_OpKernelContext* call, int number, TF_Status* status);
Tensor output(TF_OpKernelContext* call, int number, TF_DataType type, const Shape& shape,
              std::size_t bytes, TF_Status* status);
inline void* data(const Tensor& tensor) { return c_api().tensor_data(tensor.get()); }

/// Throws std::invalid_argument for more than three axes.
Shape shape_of(const Tensor& tensor, const char* name);
/// Stands for a tensor that is absent: inputs of a node are all there.
inline const Shape absent = {0};

}  // namespace rnnfast::tensorflow
