#include "api/planner.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "base/helpers.hpp"
#include "base/threads.hpp"
#include "cpu/dispatch/dispatch.hpp"

namespace rnnfast {
namespace {

/// What the last plan was made for. A stream of single steps asks for the same one again and again;
/// for longer sequences one is made each time, as threads come closer or move apart.
struct Made {
  Purpose purpose;
  Dims dims;
  const CellTraits* traits = nullptr;
  int threads;

  bool serves(Purpose wanted, const Dims& d, const CellTraits& cell, int team) const {
    return wanted == purpose && &cell == traits && team == threads && d.steps == 1 &&
           dims.steps == 1 && d.rows == dims.rows && d.inputs == dims.inputs &&
           d.units == dims.units && d.projection == dims.projection;
  }
};

/// Of a thread.
struct Planner {
  ForcedPlan forced;
  bool forces = false;
  Made made;
  LastPlan last;

  /// What is forced goes by the settings alone, however busy the machine is.
  int threads() const { return forces ? default_threads() : threads_now(); }

  /// Wakes as many helpers as the last call wanted: it takes as long as to make a call ready.
  void rouse_helpers() const {
    const int wanted = last.layers.pipelines ? last.layers.threads : last.segment.threads;
    if (wanted > 1 && !shares_openmp_threads()) rouse(std::min(wanted, threads()) - 1);
  }

  Forced read() const {
    return {forced.partition ? &*forced.partition : nullptr, forced.chunk_steps.value_or(0),
            forced.threads.value_or(0),
            forced.interleaves_input ? &*forced.interleaves_input : nullptr,
            forced.pipelines ? &*forced.pipelines : nullptr};
  }
};

thread_local Planner planner_of_thread;

}  // namespace

void force_plan(const ForcedPlan& forced) {
  if (forced.threads && (*forced.threads < 1 || *forced.threads > most_shares)) {
    throw std::invalid_argument("threads must be from 1 to " + std::to_string(most_shares) +
                                ", got " + std::to_string(*forced.threads));
  }
  Planner& planner = planner_of_thread;
  planner.forced = forced;
  planner.forces = forced.forces();
  planner.made.traits = nullptr;
  lend_at_most(forced.helpers.value_or(most_shares));
}

LastPlan last_plan() { return planner_of_thread.last; }

PlanSegment plan_call(Purpose purpose, const Dims& dims, const CellTraits& traits) {
  Planner& planner = planner_of_thread;
  planner.rouse_helpers();
  const int threads = planner.threads();
  if (!planner.made.serves(purpose, dims, traits, threads)) {
    const Plan plan =
        make_plan(purpose, dims, traits, machine_for(traits.lanes), threads, planner.read());
    planner.made = {purpose, dims, &traits, threads};
    planner.last = {plan.segments.front(), {}};
  }
  return planner.last.segment;
}

PlanSegment plan_for_threads(Purpose purpose, const Dims& dims, const CellTraits& traits,
                             int threads) {
  return make_plan(purpose, dims, traits, machine_for(traits.lanes), threads).segments.front();
}

StackPlan plan_layers(Purpose purpose, const StackDims& dims, const CellTraits& traits) {
  const Planner& planner = planner_of_thread;
  planner.rouse_helpers();
  return plan_stack(purpose, dims, traits, machine_for(traits.lanes), planner.threads(),
                    planner.read());
}

std::vector<PlanSegment> plan_each_layer(Purpose purpose, const StackDims& dims,
                                         const StackPlan& plan, const CellTraits& traits) {
  Planner& planner = planner_of_thread;
  std::vector<PlanSegment> each;
  for (index layer = 0; layer < dims.layers; ++layer) {
    each.push_back(plan_part(purpose, dims, layer, plan, traits, machine_for(traits.lanes),
                             planner.threads(), planner.read()));
  }
  planner.made.traits = nullptr;  // it serves no other call
  planner.last = {each.front(), plan};
  return each;
}

}  // namespace rnnfast
