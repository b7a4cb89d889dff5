// Threads, and what show_config tells.
#include "base/cpu.hpp"
#include "base/meeting.hpp"
#include "base/threads.hpp"
#include "bindings/arrays.hpp"
#include "bindings/register.hpp"

namespace rnnfast {
namespace {

py::dict config() {
  py::list targets;
  for (const Target* available : available_targets()) targets.append(available->name);
  py::list cells;
  for (int i = 0; i < target().single.fixed.count; ++i) cells.append(target().single.fixed.cells[i].name);
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
  facts["cuda"] = false;
  return facts;
}

py::dict describe(const CellTraits& cell) {
  py::dict facts;
  facts["gates"] = cell.gates;
  facts["parts"] = cell.parts;
  facts["phases"] = cell.phases;
  facts["has_memory"] = cell.has_memory;
  facts["norm_rows"] = cell.norm_rows;
  facts["unit_weights"] = cell.unit_weights;
  facts["projectable"] = cell.may_project;
  facts["activations"] = cell.activations;
  return facts;
}

/// What there is to know of every cell, by its name: whether it has activations of its own
/// (`fixed`), whether a call may choose them (`chosen`), and its traits.
py::list cells() {
  py::list all;
  const auto add = [&](const CellKernels<float>& cell, bool fixed) {
    for (const py::handle& known : all) {
      if (known["name"].cast<std::string>() != cell.name) continue;
      known["chosen"] = true;
      return;
    }
    py::dict facts = describe(cell.traits);
    facts["name"] = cell.name;
    facts["fixed"] = fixed;
    facts["chosen"] = !fixed;
    all.append(facts);
  };
  const ScalarKernels<float>& own = target().single;
  for (int i = 0; i < own.fixed.count; ++i) add(own.fixed.cells[i], true);
  for (int i = 0; i < own.chosen.count; ++i) add(own.chosen.cells[i], false);
  return all;
}

}  // namespace

void register_machine(py::module_& module) {
  module.def("cells", &cells);
  module.def("config", &config);
  module.def("get_num_threads", &default_threads);
  module.def("choose_threads", &choose_threads, py::arg("n"));
  module.def("chosen_threads", &chosen_threads);
  module.def("share_openmp_threads", &share_openmp_threads);
  module.def("meeting_ns", &meeting_ns, py::arg("threads"));
}

}  // namespace rnnfast
