// A node's pass over a batch, as ONNX has it: D directions side by side.
//
//                  layout 0        layout 1
//   X              (T, B, I)       (B, T, I)
//   initial_h, c   (D, B, H)       (B, D, H)
//   Y              (T, D, B, H)    (B, T, D, H)
//   Y_h, Y_c       (D, B, H)       (B, D, H)
//
// Sequences end, and in reverse begin, where sequence_lens (B,) says; later steps of Y are zero. Of
// a sequence without a step so are Y_h and Y_c, whatever it began with: as ONNX Runtime has it.
#pragma once

#include "doors/onnxruntime/weights.hpp"

namespace rnnfast::onnx {

/// Absent ones have no data. X is there.
struct PassInputs {
  Tensor x;
  Tensor lengths;  // int32
  Tensor initial_h;
  Tensor initial_c;
};

/// Null where not wanted.
struct PassOutputs {
  void* y;
  void* y_h;
  void* y_c;
};

struct PassSizes {
  index steps;
  index rows;
  index directions;
  index units;
  bool batch_first;

  std::vector<std::int64_t> shape_of_y() const;
  std::vector<std::int64_t> shape_of_state() const;
};

/// Throws std::invalid_argument for inputs that do not fit.
PassSizes sizes_of(const PackedNode& node, bool batch_first, const PassInputs& given);

void run_pass(const PackedNode& node, const PassSizes& sizes, const PassInputs& given,
              const PassOutputs& out);

}  // namespace rnnfast::onnx
