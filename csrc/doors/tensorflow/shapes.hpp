// The shapes of results, as far as operands tell them while a graph is made. Attributes of a node
// cannot be read here: what depends on them, Python says beside (rnnfast/interop/tensorflow).
#pragma once

#include "doors/tensorflow/c_api.hpp"

namespace rnnfast::tensorflow {

/// y as x but for its last size, which is that of w_hh; h_n (?, R); c_n and a tape are unknown.
void infer_forward(TF_ShapeInferenceContext* of, TF_Status* status);
/// Gradients: which of them there are, an attribute says.
void infer_backward(TF_ShapeInferenceContext* of, TF_Status* status);

}  // namespace rnnfast::tensorflow
