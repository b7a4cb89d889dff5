#include "bindings/cuda/register.hpp"

PYBIND11_MODULE(_cuda, module) {
  module.doc() = "Kernels of rnnfast for NVIDIA's GPUs. rnnfast._devices calls them.";
  rnnfast::register_devices(module);
  rnnfast::register_capsules(module);
  rnnfast::register_queue(module);
}
