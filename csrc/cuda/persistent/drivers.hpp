// The persistent drivers that there are, planned and launched.
//
//                     float32, float64       16 bits
//   grid              LaneProduct            StagedMmaProduct     GridExchange
//   cluster           LaneProduct            MmaProduct           ClusterExchange
//
// Of a device they ask, beside what the general driver does (cuda/general/device.hpp),
//
//   Thread                                a thread of it, as kernels see it
//   chip()                                facts (cuda/chip.hpp)
//   runs_together<Kernel>(launch)         whether it has room for the blocks that meet
//   run_together(launch, kernel)
#pragma once

#include "cuda/persistent/backward.hpp"
#include "cuda/persistent/cluster_exchange.hpp"
#include "cuda/persistent/forward.hpp"
#include "cuda/persistent/grid_exchange.hpp"
#include "cuda/persistent/lane_product.hpp"
#include "cuda/persistent/plan.hpp"
#include "cuda/persistent/staged_product.hpp"

namespace rnnfast {
namespace {

/// Of tiles of a warp, and spans that it keeps in registers: what 255 of them hold with no spill, a
/// product for each phase (tests/cuda/test_kernels.py).
constexpr int mma_tiles = 3;
template <class Cell>
constexpr int mma_kept = 5 / Cell::phases;

/// Products of a cell's numbers.
template <class Cell>
struct ProductsOf {
  template <class Machine, class Stored>
  using OnGrid = std::conditional_t<is_short<Stored>,
                                    StagedMmaProduct<Machine, Stored, mma_tiles, mma_kept<Cell>>,
                                    LaneProduct<Machine, Stored>>;
  template <class Machine, class Stored>
  using InCluster =
      std::conditional_t<is_short<Stored>, MmaProduct<Machine, Stored, mma_tiles, mma_kept<Cell>>,
                         LaneProduct<Machine, Stored>>;
};

template <class Cell, class Stored>
using GridForward = ResidentForward<Cell, Stored, ProductsOf<Cell>::template OnGrid, GridExchange>;
template <class Cell, class Stored>
using GridBackward =
    ResidentBackward<Cell, Stored, ProductsOf<Cell>::template OnGrid, GridExchange>;
template <class Cell, class Stored>
using ClusterForward =
    ResidentForward<Cell, Stored, ProductsOf<Cell>::template InCluster, ClusterExchange>;
template <class Cell, class Stored>
using ClusterBackward =
    ResidentBackward<Cell, Stored, ProductsOf<Cell>::template InCluster, ClusterExchange>;

/// Parts that recurrent products feed.
template <class Cell>
constexpr int recurrent_parts() {
  int parts = 0;
  for (const Range& phase : Cell::phase) parts += phase.count();
  return parts;
}

/// What `plan(chip, work, bytes of shared memory)` says, if the device has room for it.
template <class Kernel, class Cell, class Device, class Plan>
PersistentPlan plan_kernel(const Device& device, const Dims& dims, Plan&& plan) {
  using Thread = typename Device::Thread;
  using Product = typename Kernel::template ProductOn<Thread>;
  const Chip chip = device.chip();
  const int threads = static_cast<int>(smaller(chip.resident_threads, Product::most_threads));
  const ResidentWork work = {dims.rows, dims.units, recurrent_parts<Cell>() * dims.units,
                             Product::multiplications_worth_it, threads};
  const PersistentPlan found = plan(chip, work, [&](const Division& by) {
    return Kernel::template shared_bytes<Thread>(by, threads);
  });
  if (found.driver == Driver::general) return found;
  return device.template runs_together<Kernel>(found.launch()) ? found : PersistentPlan{};
}

/// A cluster's, if that has room: its barrier is some times as fast as a grid's.
template <class OfCluster, class OfGrid, class Cell, class Device>
PersistentPlan plan_either(const Device& device, const Dims& dims) {
  const PersistentPlan found = plan_kernel<OfCluster, Cell>(
      device, dims, [](const auto&... of) { return cluster_plan(of...); });
  if (found.driver != Driver::general) return found;
  return plan_kernel<OfGrid, Cell>(device, dims,
                                   [](const auto&... of) { return grid_plan(of...); });
}

template <class Cell, class Stored, class Device>
PersistentPlan plan_forward(const Device& device, const Dims& dims) {
  if constexpr (Resident<Cell>) {
    return plan_either<ClusterForward<Cell, Stored>, GridForward<Cell, Stored>, Cell>(device, dims);
  } else {
    return {};
  }
}
template <class Cell, class Stored, class Device>
PersistentPlan plan_backward(const Device& device, const Dims& dims) {
  if constexpr (Resident<Cell>) {
    return plan_either<ClusterBackward<Cell, Stored>, GridBackward<Cell, Stored>, Cell>(device,
                                                                                        dims);
  } else {
    return {};
  }
}

template <class OfCluster, class OfGrid, class Device, class Steps>
void run_either(Device& device, const PersistentPlan& plan, const Steps& of) {
  if (plan.driver == Driver::cluster) {
    device.run_together(plan.launch(), OfCluster(of));
  } else {
    device.run_together(plan.launch(), OfGrid(of));
  }
}

template <class Device, class Cell, class Stored>
void run_persistent(Device& device, const PersistentPlan& plan,
                    const ForwardSteps<Cell, Stored>& of) {
  run_either<ClusterForward<Cell, Stored>, GridForward<Cell, Stored>>(device, plan, of);
}
template <class Device, class Cell, class Stored>
void run_persistent(Device& device, const PersistentPlan& plan,
                    const BackwardSteps<Cell, Stored>& of) {
  run_either<ClusterBackward<Cell, Stored>, GridBackward<Cell, Stored>>(device, plan, of);
}

}  // namespace
}  // namespace rnnfast
