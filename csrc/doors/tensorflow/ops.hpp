// The operations RnnfastForward, RnnfastForwardSaving and RnnfastBackward, for TensorFlow.
#pragma once

#include <string>
#include <vector>

namespace rnnfast::tensorflow {

/// Registers them, by functions of the libraries at these paths that the process has loaded. Throws
/// std::runtime_error where one is missing or TensorFlow refuses. Once is enough, and more than
/// that makes no difference.
void register_ops(const std::vector<std::string>& paths);

}  // namespace rnnfast::tensorflow
