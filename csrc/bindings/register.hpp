// One function a room; module.cpp is their table of contents.
#pragma once

#include <pybind11/pybind11.h>

namespace rnnfast {

void register_cells(pybind11::module_& module);
void register_ctc(pybind11::module_& module);
void register_hosts(pybind11::module_& module);
void register_machine(pybind11::module_& module);
void register_models(pybind11::module_& module);
void register_noise(pybind11::module_& module);
void register_onnxruntime(pybind11::module_& hosts);
void register_plans(pybind11::module_& module);
void register_pools(pybind11::module_& module);
void register_probes(pybind11::module_& module);
void register_samples(pybind11::module_& module);
void register_sessions(pybind11::module_& module);
void register_stacks(pybind11::module_& module);
void register_tensors(pybind11::module_& module);

}  // namespace rnnfast
