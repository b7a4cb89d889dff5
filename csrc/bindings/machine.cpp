// Threads, and what show_config tells.
#include "api/cell_spec.hpp"
#include "base/cpu.hpp"
#include "base/meeting.hpp"
#include "base/threads.hpp"
#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "cpu/dispatch/dispatch.hpp"

namespace rnnfast {
namespace {

py::dict config() {
  py::list targets;
  for (const Target* available : available_targets()) targets.append(available->name);
  py::list cells;
  for (const KnownCell& cell : known_cells()) {
    if (cell.fixed) cells.append(cell.name);
  }
  const Caches& caches = cpu_caches();
  py::dict facts;
  facts["version"] = RNNFAST_VERSION;
  facts["target"] = target().name;
  facts["targets"] = targets;
  facts["cells"] = cells;
  facts["threads"] = default_threads();
  facts["available_threads"] = available_threads();
  facts["caches"] =
      py::dict(py::arg("l1") = caches.l1, py::arg("l2") = caches.l2, py::arg("l3") = caches.l3);
  facts["compiler"] = RNNFAST_COMPILER;
  facts["build_type"] = RNNFAST_BUILD_TYPE;
  facts["openmp"] = has_openmp();
  return facts;
}

/// What there is to know of every cell.
py::list cells() {
  py::list all;
  for (const KnownCell& cell : known_cells()) {
    py::dict facts;
    facts["name"] = cell.name;
    facts["fixed"] = cell.fixed;
    facts["chosen"] = cell.chosen;
    facts["sparse"] = cell.sparse;
    facts["gates"] = cell.traits.gates;
    facts["parts"] = cell.traits.parts;
    facts["phases"] = cell.traits.phases;
    facts["has_memory"] = cell.traits.has_memory;
    facts["norm_rows"] = cell.traits.norm_rows;
    facts["unit_weights"] = cell.traits.unit_weights;
    facts["projectable"] = cell.traits.may_project;
    facts["activations"] = cell.traits.activations;
    all.append(facts);
  }
  return all;
}

}  // namespace

void register_machine(py::module_& module) {
  module.def("cells", &cells);
  module.def("config", &config);
  module.def("get_num_threads", &default_threads);
  module.def("choose_threads", &choose_threads, py::arg("n"));
  module.def("chosen_threads", &chosen_threads);
  module.def("follow_host", &follow_host, py::arg("threads"));
  module.def("share_openmp_threads", &share_openmp_threads);
  module.def("meeting_ns", &meeting_ns, py::arg("threads"));
}

}  // namespace rnnfast
