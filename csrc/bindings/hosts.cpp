// What doors for hosts of plain C are entered by: `_core.hosts`.
#include <pybind11/stl.h>

#include <algorithm>
#include <array>

#include "bindings/cell_argument.hpp"
#include "bindings/register.hpp"
#include "doors/flat_tape.hpp"
#include "doors/tensorflow/kernels.hpp"
#include "doors/tensorflow/ops.hpp"
#include "doors/xla/handlers.hpp"

namespace rnnfast {
namespace {

Words cell_words(const py::object& cell) { return words_of(cell_spec(cell)); }

template <class Choice>
Choice named(const std::string& name, const char* first, const char* second) {
  if (name != first && name != second) throw std::invalid_argument("no way called " + name);
  return name == first ? Choice{0} : Choice{1};
}

/// Words of a planned call and, where it saves, the bytes of its tape.
py::tuple plan_call(const py::object& cell, const py::dtype& dtype,
                    const std::array<index, 5>& sizes, const std::string& axes,
                    const std::string& direction, index truncate,
                    const std::vector<std::string>& operands, const std::string& purpose) {
  const auto& [steps, rows, inputs, units, projection] = sizes;
  FlatCall call = {cell_spec(cell),
                   scalar_of(dtype),
                   {steps, rows, inputs, units, projection},
                   named<Axes>(axes, "time_first", "batch_first"),
                   named<Direction>(direction, "forward", "reverse"),
                   truncate};
  for (const std::string& operand : operands) {
    const auto* const found =
        std::find(std::begin(operand_names), std::end(operand_names), operand);
    if (found == std::end(operand_names)) throw std::invalid_argument("no operand " + operand);
    call.has.all[static_cast<std::size_t>(found - operand_names)] = true;
  }
  const auto why = named<Purpose>(purpose, "inference", "training");
  const PlannedCall planned = {call, plan_flat_ahead(why, call)};
  const bool saves = why == Purpose::training;
  return py::make_tuple(words_of(planned), saves ? py::cast(flat_tape_bytes(planned)) : py::none());
}

/// As JAX takes it: jax.ffi.pycapsule.
py::capsule capsule_of(xla::Handler* handler) {
  return py::capsule(reinterpret_cast<void*>(handler), static_cast<const char*>(nullptr));
}

py::dict xla_handlers() {
  return py::dict(py::arg("forward") = capsule_of(&xla::forward),
                  py::arg("forward_saving") = capsule_of(&xla::forward_saving),
                  py::arg("backward") = capsule_of(&xla::backward));
}

}  // namespace

void register_hosts(py::module_& module) {
  py::module_ hosts = module.def_submodule("hosts");
  hosts.attr("operands") =
      py::cast(std::vector<std::string>(std::begin(operand_names), std::end(operand_names)));
  hosts.def("cell_words", &cell_words);
  hosts.def("plan_call", &plan_call, py::arg("cell"), py::arg("dtype"), py::arg("sizes"),
            py::arg("axes"), py::arg("direction"), py::arg("truncate"), py::arg("operands"),
            py::arg("purpose"));
  hosts.def("register_tensorflow", &tensorflow::register_ops);
  hosts.def("tensorflow_calls", &tensorflow::calls);
  hosts.def("xla_handlers", &xla_handlers);
  hosts.def("xla_passes", &xla::passes);
  register_onnxruntime(hosts);
}

}  // namespace rnnfast
