#include "bindings/plans.hpp"

#include <pybind11/stl.h>

#include <optional>

#include "base/helpers.hpp"
#include "base/threads.hpp"
#include "bindings/cell_choice.hpp"
#include "bindings/register.hpp"

namespace rnnfast {
namespace {

struct ForcedPlan {
  std::optional<Partition> partition;
  index chunk_steps = 0;
  int threads = 0;
  std::optional<bool> interleaves_input;
  std::optional<bool> pipelines;

  Forced read() const {
    return {partition ? &*partition : nullptr, chunk_steps, threads,
            interleaves_input ? &*interleaves_input : nullptr, pipelines ? &*pipelines : nullptr};
  }
};

/// A plan and what it was made for. A stream of single steps asks for the same one again and again;
/// for longer sequences one is made each time, as threads come closer or move apart.
struct LastPlan {
  Purpose purpose;
  Dims dims;
  const CellTraits* cell = nullptr;
  int threads;
  PlanSegment plan{};
  StackPlan stack{};

  bool serves(Purpose wanted, const Dims& d, const CellTraits& traits, int team) const {
    return wanted == purpose && &traits == cell && team == threads && d.steps == 1 &&
           dims.steps == 1 && d.rows == dims.rows && d.inputs == dims.inputs &&
           d.units == dims.units && d.projection == dims.projection;
  }
};

/// Of a thread: what it forces, and the plan it made last.
struct Planner {
  ForcedPlan forced;
  bool forces = false;
  LastPlan last;

  /// What is forced goes by the settings alone, however busy the machine is.
  int threads() const { return forces ? default_threads() : threads_now(); }
};

thread_local Planner planner_of_thread;

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

py::dict plan(const py::object& cell, const py::dtype& dtype, const Dims& dims, int threads,
              bool training) {
  const Purpose purpose = training ? Purpose::training : Purpose::inference;
  return with_scalar(dtype, [&](auto scalar) {
    const CellTraits& traits = CellChoice(cell).kernels<decltype(scalar)>().traits;
    py::list segments;
    for (const auto& segment :
         make_plan(purpose, dims, traits, machine_for(traits.lanes), threads).segments) {
      segments.append(describe(segment));
    }
    return py::dict(py::arg("segments") = segments);
  });
}

void force_plan(const std::optional<std::string>& partition, std::optional<index> chunk,
                std::optional<int> threads, std::optional<bool> interleaves_input,
                std::optional<bool> pipelines, std::optional<int> helpers) {
  Planner& planner = planner_of_thread;
  planner.forced = {};
  planner.last.cell = nullptr;
  planner.forces = partition || chunk || threads || interleaves_input || pipelines || helpers;
  if (threads && (*threads < 1 || *threads > most_shares)) {
    throw std::invalid_argument("threads must be from 1 to " + std::to_string(most_shares));
  }
  if (partition) {
    if (*partition != "rows" && *partition != "units") {
      throw std::invalid_argument("partition must be 'rows' or 'units', got " + *partition);
    }
    planner.forced.partition = *partition == "rows" ? Partition::rows : Partition::units;
  }
  planner.forced.chunk_steps = chunk.value_or(0);
  planner.forced.threads = threads.value_or(0);
  planner.forced.interleaves_input = interleaves_input;
  planner.forced.pipelines = pipelines;
  lend_at_most(helpers.value_or(most_shares));
}

}  // namespace

PlanSegment plan_call(Purpose purpose, const Dims& dims, const CellTraits& traits) {
  Planner& planner = planner_of_thread;
  LastPlan& last = planner.last;
  const int threads = planner.threads();
  if (!last.serves(purpose, dims, traits, threads)) {
    const Plan plan =
        make_plan(purpose, dims, traits, machine_for(traits.lanes), threads, planner.forced.read());
    last = {purpose, dims, &traits, threads, plan.segments.front()};
  }
  return last.plan;
}

StackPlan plan_stack_call(Purpose purpose, const StackDims& stack, const CellTraits& traits) {
  const Planner& planner = planner_of_thread;
  return plan_stack(purpose, stack, traits, machine_for(traits.lanes), planner.threads(),
                    planner.forced.read());
}

std::vector<PlanSegment> plan_parts(Purpose purpose, const StackDims& stack, const StackPlan& plan,
                                    const CellTraits& traits) {
  Planner& planner = planner_of_thread;
  std::vector<PlanSegment> parts;
  for (index layer = 0; layer < stack.layers; ++layer) {
    parts.push_back(plan_part(purpose, stack, layer, plan, traits, machine_for(traits.lanes),
                              planner.threads(), planner.forced.read()));
  }
  planner.last = {purpose, {}, nullptr, plan.threads, parts.front(), plan};  // serves no other call
  return parts;
}

void register_plans(py::module_& module) {
  module.def(
      "plan",
      [](const py::object& cell, const py::dtype& dtype, index steps, index rows, index inputs,
         index units, int threads, bool training) {
        return plan(cell, dtype, {steps, rows, inputs, units}, threads, training);
      },
      py::arg("cell"), py::arg("dtype"), py::arg("T"), py::arg("B"), py::arg("I"), py::arg("H"),
      py::arg("threads"), py::arg("training"));
  module.def("force_plan", &force_plan, py::arg("partition"), py::arg("chunk"), py::arg("threads"),
             py::arg("interleaves_input"), py::arg("pipelines"), py::arg("helpers"));
  module.def("last_plan", [] {
    const LastPlan& last = planner_of_thread.last;
    py::dict text = describe(last.plan);
    text["pipelines"] = last.stack.pipelines;
    text["workers"] = last.stack.pipelines ? last.stack.threads : last.plan.threads;
    return text;
  });
}

}  // namespace rnnfast
