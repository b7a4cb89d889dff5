// What doors for hosts of plain C are entered by: `_core.hosts`.
#include <pybind11/stl.h>

#include "bindings/cell_argument.hpp"
#include "bindings/register.hpp"
#include "doors/words.hpp"

namespace rnnfast {
namespace {

Words cell_words(const py::object& cell) { return words_of(cell_spec(cell)); }

}  // namespace

void register_hosts(py::module_& module) {
  py::module_ hosts = module.def_submodule("hosts");
  hosts.def("cell_words", &cell_words);
  register_onnxruntime(hosts);
}

}  // namespace rnnfast
