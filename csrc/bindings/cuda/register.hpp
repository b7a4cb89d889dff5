// One function a room; module.cpp is their table of contents.
#pragma once

#include <pybind11/pybind11.h>

namespace rnnfast {

void register_capsules(pybind11::module_& module);
void register_devices(pybind11::module_& module);
void register_queue(pybind11::module_& module);

}  // namespace rnnfast
