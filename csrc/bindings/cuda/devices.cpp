// What there is to compute on.
#include <pybind11/stl.h>

#include "api/device.hpp"
#include "bindings/cuda/register.hpp"

namespace rnnfast {
namespace {

namespace py = pybind11;

std::string version_text(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

py::dict config() {
  const DriverFacts driver = driver_facts();
  py::list devices;
  for (const DeviceFacts& one : device_facts()) {
    py::dict facts;
    facts["name"] = one.name;
    facts["compute_capability"] = std::to_string(one.major) + "." + std::to_string(one.minor);
    facts["memory"] = one.bytes;
    devices.append(facts);
  }
  py::dict found;
  found["version"] = RNNFAST_VERSION;
  found["runtime"] = version_text(driver.runtime);
  found["architectures"] = RNNFAST_CUDA_ARCHITECTURES;
  found["driver"] = driver.driver ? py::object(py::str(version_text(driver.driver))) : py::none();
  found["missing"] = driver.missing;
  found["devices"] = devices;
  return found;
}

}  // namespace

void register_devices(py::module_& module) {
  module.def("config", &config);
  module.def("device_of", [](std::uintptr_t address) {
    return device_of(reinterpret_cast<const void*>(address));
  });
  module.def("product_library", &product_library);
}

}  // namespace rnnfast
