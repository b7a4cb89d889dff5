// What Python asks the door for ONNX Runtime: `_core.hosts.onnxruntime`.
#include <pybind11/stl.h>

#include <optional>

#include "bindings/register.hpp"
#include "doors/onnxruntime/kernel.hpp"
#include "doors/onnxruntime/operators.hpp"

namespace rnnfast {
namespace {

namespace py = pybind11;

onnx::Attributes attributes_of(const py::dict& given) {
  onnx::Attributes found;
  const auto read = [&](const char* name, auto& value) {
    if (given.contains(name)) value = given[name].cast<std::decay_t<decltype(value)>>();
  };
  read("direction", found.direction);
  read("hidden_size", found.hidden_size);
  read("activations", found.activations);
  read("activation_alpha", found.activation_alpha);
  read("activation_beta", found.activation_beta);
  read("clip", found.clip);
  found.clips = given.contains("clip");
  std::int64_t input_forget = 0;
  std::int64_t linear_before_reset = 0;
  read("input_forget", input_forget);
  read("linear_before_reset", linear_before_reset);
  found.input_forget = input_forget != 0;
  found.linear_before_reset = linear_before_reset != 0;
  read("layout", found.layout);
  return found;
}

/// Why the kernels cannot compute a node; None if they can.
std::optional<std::string> refusal(const std::string& op, const py::dict& attributes,
                                   bool peepholes) {
  try {
    onnx::directions_of(onnx::operator_named(op), attributes_of(attributes), peepholes);
    return std::nullopt;
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

}  // namespace

void register_onnxruntime(py::module_& hosts) {
  py::module_ door = hosts.def_submodule("onnxruntime");
  door.def("kernel_calls", &onnx::kernel_calls);
  door.def("refusal", &refusal);
  door.def("register_in", [](const std::string& domain) {
    onnx::register_in(domain.empty() ? onnx::Domain::of_onnx : onnx::Domain::of_host);
  });
  // The host looks the function up by its name; it is told here so that linkers keep it.
  door.attr("registration") =
      py::capsule(reinterpret_cast<void*>(&onnx::RegisterCustomOps), "RegisterCustomOps");
}

}  // namespace rnnfast
