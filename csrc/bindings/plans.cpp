// Plans: what tests force, and see.
#include <pybind11/stl.h>

#include <optional>

#include "api/planner.hpp"
#include "bindings/arguments.hpp"
#include "bindings/register.hpp"

namespace rnnfast {
namespace {

py::dict describe(const PlanSegment& segment) {
  py::dict text;
  text["t0"] = segment.begin;
  text["t1"] = segment.end;
  text["rows"] = segment.rows;
  text["partition"] = segment.threads == 1 ? "one" : name_of(segment.partition);
  text["threads"] = segment.threads;
  text["chunk"] = segment.chunk_steps;
  text["interleaves_input"] = segment.interleaves_input;
  text["delta_chunk"] = segment.delta_chunk_steps;
  text["block"] = segment.block_steps;
  text["stretch"] = segment.stretch_steps;
  return text;
}

py::dict plan(const py::object& cell, const py::dtype& dtype, index steps, index rows, index inputs,
              index units, int threads, bool training, const py::object& precision) {
  const Purpose purpose = training ? Purpose::training : Purpose::inference;
  const CellTraits& traits =
      cpu_backend().traits(cell_spec(cell), precision_of(precision, scalar_of(dtype)));
  py::list segments;
  segments.append(
      describe(plan_for_threads(purpose, {steps, rows, inputs, units}, traits, threads)));
  return py::dict(py::arg("segments") = segments);
}

std::optional<Partition> partition_named(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  for (const Partition partition : {Partition::rows, Partition::units}) {
    if (*name == name_of(partition)) return partition;
  }
  throw std::invalid_argument("partition must be 'rows' or 'units', got " + *name);
}

void force(const std::optional<std::string>& partition, std::optional<index> chunk,
           std::optional<int> threads, std::optional<bool> interleaves_input,
           std::optional<bool> pipelines, std::optional<int> helpers) {
  force_plan({partition_named(partition), chunk, threads, interleaves_input, pipelines, helpers});
}

py::dict describe_last() {
  const LastPlan last = last_plan();
  py::dict text = describe(last.segment);
  text["pipelines"] = last.layers.pipelines;
  text["workers"] = last.layers.pipelines ? last.layers.threads : last.segment.threads;
  return text;
}

}  // namespace

void register_plans(py::module_& module) {
  module.def("plan", &plan, py::arg("cell"), py::arg("dtype"), py::arg("T"), py::arg("B"),
             py::arg("I"), py::arg("H"), py::arg("threads"), py::arg("training"),
             py::arg("precision") = py::none());
  module.def("force_plan", &force, py::arg("partition"), py::arg("chunk"), py::arg("threads"),
             py::arg("interleaves_input"), py::arg("pipelines"), py::arg("helpers"));
  module.def("last_plan", &describe_last);
}

}  // namespace rnnfast
