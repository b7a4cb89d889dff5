// What the operations compute.
#pragma once

#include "doors/tensorflow/c_api.hpp"

namespace rnnfast::tensorflow {

/// The functions of a kernel, as TensorFlow calls them: what `create` makes for a node, `compute`
/// is given at each of its calls.
struct Kernel {
  void* (*create)(TF_OpKernelConstruction*);
  void (*compute)(void*, TF_OpKernelContext*);
  void (*destroy)(void*);
};

extern const Kernel forward_kernel;
extern const Kernel forward_saving_kernel;
extern const Kernel backward_kernel;

/// Calls that have run to their end.
long long calls();

}  // namespace rnnfast::tensorflow
