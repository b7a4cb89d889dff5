// The persistent drivers that there are, planned and launched.
//
//   grid        LaneProduct     GridExchange
//
// Of a device they ask, beside what the general driver does (cuda/general/device.hpp),
//
//   Thread                                        a thread of it, as kernels see it
//   chip()                                        facts (cuda/chip.hpp)
//   runs_together<Kernel>(shared_bytes)           whether a multiprocessor has room for a block
//   run_together(blocks, shared_bytes, kernel)    a launch whose blocks all run at once, of
//                                                 chip().resident_threads each
#pragma once

#include "cuda/persistent/backward.hpp"
#include "cuda/persistent/forward.hpp"
#include "cuda/persistent/grid_exchange.hpp"
#include "cuda/persistent/lane_product.hpp"
#include "cuda/persistent/plan.hpp"

namespace rnnfast {
namespace {

template <class Cell, class Stored>
using GridForward = ResidentForward<Cell, Stored, LaneProduct, GridExchange>;
template <class Cell, class Stored>
using GridBackward = ResidentBackward<Cell, Stored, LaneProduct, GridExchange>;

/// Parts that recurrent products feed.
template <class Cell>
constexpr int recurrent_parts() {
  int parts = 0;
  for (const Range& phase : Cell::phase) parts += phase.count();
  return parts;
}

template <class Kernel, class Cell, class Device>
PersistentPlan plan_kernel(const Device& device, const Dims& dims) {
  const Chip chip = device.chip();
  const ResidentWork work = {dims.rows, dims.units, recurrent_parts<Cell>() * dims.units,
                             multiplications_worth_it};
  const PersistentPlan plan = persistent_plan(chip, work, [&](const Division& by) {
    return Kernel::template shared_bytes<typename Device::Thread>(by, chip.resident_threads);
  });
  const bool runs =
      plan.driver != Driver::general && device.template runs_together<Kernel>(plan.shared_bytes);
  return runs ? plan : PersistentPlan{};
}

template <class Cell, class Stored, class Device>
PersistentPlan plan_forward(const Device& device, const Dims& dims) {
  if constexpr (Resident<Cell>) {
    return plan_kernel<GridForward<Cell, Stored>, Cell>(device, dims);
  } else {
    return {};
  }
}
template <class Cell, class Stored, class Device>
PersistentPlan plan_backward(const Device& device, const Dims& dims) {
  if constexpr (Resident<Cell>) {
    return plan_kernel<GridBackward<Cell, Stored>, Cell>(device, dims);
  } else {
    return {};
  }
}

template <class Device, class Cell, class Stored>
void run_persistent(Device& device, const PersistentPlan& plan,
                    const ForwardSteps<Cell, Stored>& of) {
  device.run_together(plan.division.blocks(), plan.shared_bytes, GridForward<Cell, Stored>(of));
}
template <class Device, class Cell, class Stored>
void run_persistent(Device& device, const PersistentPlan& plan,
                    const BackwardSteps<Cell, Stored>& of) {
  device.run_together(plan.division.blocks(), plan.shared_bytes, GridBackward<Cell, Stored>(of));
}

}  // namespace
}  // namespace rnnfast
