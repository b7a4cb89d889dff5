#include "bindings/gil.hpp"
#include "bindings/register.hpp"
#include "cpu/dispatch/dispatch.hpp"

PYBIND11_MODULE(_core, module) {
  module.doc() = "Kernels of rnnfast. Everything here expects arguments that rnnfast._check made.";
  try {
    rnnfast::target();
  } catch (const std::exception& error) {
    throw pybind11::import_error(error.what());
  }
  rnnfast::watch_signals();
  rnnfast::register_machine(module);
  rnnfast::register_noise(module);
  rnnfast::register_plans(module);
  rnnfast::register_cells(module);
  rnnfast::register_ctc(module);
  rnnfast::register_hosts(module);
  rnnfast::register_samples(module);
  rnnfast::register_models(module);
  rnnfast::register_sessions(module);
  rnnfast::register_pools(module);
  rnnfast::register_stacks(module);
  rnnfast::register_tensors(module);
  rnnfast::register_probes(module);
}
