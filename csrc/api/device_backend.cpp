#include "api/device_backend.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

#include "cpu/plan/sequences.hpp"

namespace rnnfast {
namespace {

/// All of a call at once, by rank: what a device's passes want of a plan.
PlanSegment whole(const CallSizes& sizes) {
  PlanSegment segment = {};
  segment.end = segment.chunk_steps = segment.stretch_steps = sizes.dims.steps;
  segment.rows = sizes.dims.rows;
  segment.partition = Partition::rows;
  segment.threads = 1;
  segment.masks_operand = sizes.masks_h;
  return segment;
}

std::vector<SequenceRow> rows_of(const Call& call, const CallPlan& plan) {
  if (!call.spans) return {};
  return deal_sequences(call.spans, plan.segment);
}

const SequenceRow* data_of(const std::vector<SequenceRow>& rows) {
  return rows.empty() ? nullptr : rows.data();
}

}  // namespace

const DeviceCell& DeviceBackend::kernels(const CellSpec& cell, Precision precision) const {
  const StorageType storage = precision.storage;
  if (scalar_of(storage) != precision.scalar || storage == StorageType::int8 ||
      storage == StorageType::sparse) {
    throw std::invalid_argument(
        std::string("a device keeps weights in the type of its arrays, got ") + name_of(storage));
  }
  const auto cells = stream_.cells(precision.storage, cell.chooses());
  const std::string_view name = cell.name();
  const auto found = std::find_if(cells.begin(), cells.end(),
                                  [&](const DeviceCell& one) { return one.name == name; });
  if (found != cells.end()) return *found;
  throw std::invalid_argument("the cell " + std::string(name) +
                              (cell.chooses() ? ", with activations of the call's," : "") +
                              " is not there for " + name_of(precision.storage) +
                              " in this build for " + stream_.target());
}

Header DeviceBackend::header(const Weights& weights, StorageType storage) const {
  return {weights.cell,
          weights.scalar,
          storage,
          stream_.target(),
          &kernels(weights.cell, {weights.scalar, storage}).traits,
          std::nullopt,
          weights.dims};
}

const CellTraits& DeviceBackend::traits(const CellSpec& cell, Precision precision) const {
  return kernels(cell, precision).traits;
}

CallPlan DeviceBackend::plan(Purpose purpose, const CellSpec& cell, Precision precision,
                             const CallSizes& sizes) const {
  return {purpose, &traits(cell, precision), sizes.dims, whole(sizes)};
}

std::size_t DeviceBackend::tape_bytes(const CellSpec& cell, ScalarType scalar,
                                      const CallPlan& plan) const {
  return kernels(cell, scalar).tape_bytes(plan);
}

std::size_t DeviceBackend::tape_bytes(const CellSpec& cell, StorageType arrays,
                                      const CallPlan& plan) const {
  return kernels(cell, {scalar_of(arrays), arrays}).tape_bytes(plan);
}

Packed DeviceBackend::pack(const Weights& weights, StorageType storage) const {
  const DeviceCell& cell = kernels(weights.cell, {weights.scalar, storage});
  const std::size_t bytes = cell.packed_bytes(weights.dims);
  const std::shared_ptr<char> memory = stream_.keep(bytes);
  cell.pack(stream_, weights, memory.get());
  stream_.wait();
  return Packed(header(weights, storage), memory, bytes);
}

Packed DeviceBackend::packed_for_now(const Weights& weights, StorageType storage) const {
  const DeviceCell& cell = kernels(weights.cell, {weights.scalar, storage});
  const std::size_t bytes = cell.packed_bytes(weights.dims);
  const std::shared_ptr<char> memory = stream_.take(bytes);
  cell.pack(stream_, weights, memory.get());
  return Packed(header(weights, storage), memory, bytes);
}

void DeviceBackend::forward(const Packed& weights, const Call& call, const CallPlan& plan) const {
  const Header& made = weights.header();
  const std::vector<SequenceRow> rows = rows_of(call, plan);
  kernels(made.cell, made.precision())
      .forward(stream_, {made.cell, call, plan, data_of(rows), weights.data(), nullptr});
}

void DeviceBackend::forward(const Weights& weights, const Call& call, const CallPlan& plan) const {
  forward(weights, storage_of(weights.scalar), call, plan);
}

void DeviceBackend::forward(const Weights& weights, StorageType storage, const Call& call,
                            const CallPlan& plan) const {
  forward(packed_for_now(weights, storage), call, plan);
}

Tape DeviceBackend::forward_saving(const Weights& weights, StorageType storage, const Call& call,
                                   const CallPlan& plan, TapeMemory memory) const {
  char* const to = memory.data();
  Tape made = tape(weights, storage, call, plan, std::move(memory));
  const Packed packed = packed_for_now(weights, storage);
  kernels(weights.cell, {weights.scalar, storage})
      .forward(stream_, {weights.cell, call, plan, made.rows(), packed.data(), to});
  return made;
}

Tape DeviceBackend::tape(const Weights& weights, StorageType storage, const Call& call,
                         const CallPlan& plan, TapeMemory memory) const {
  if (memory.bytes() < tape_bytes(weights.cell, storage, plan)) {
    throw std::invalid_argument("less memory than a tape of this plan needs");
  }
  Header made = header(weights, storage);
  made.plan = plan;
  made.dims = call.dims;
  return Tape(made, rows_of(call, plan), std::move(memory));
}

Tape DeviceBackend::forward_saving(const Weights& weights, StorageType storage, const Call& call,
                                   const CallPlan& plan) const {
  const std::size_t bytes = tape_bytes(weights.cell, storage, plan);
  return forward_saving(weights, storage, call, plan, TapeMemory(stream_.take(bytes), bytes));
}

void DeviceBackend::backward(const Tape& tape, const Pullback& call) const {
  const Header& made = tape.header();
  kernels(made.cell, made.precision())
      .backward(stream_, {made.cell, call, *made.plan, tape.rows(), tape.data()});
}

void DeviceBackend::trace(const Tape& tape, const TraceTo& to) const {
  const Header& made = tape.header();
  if (made.plan->purpose != Purpose::training) {
    throw std::invalid_argument("a tape of checkpoints has no trace");
  }
  kernels(made.cell, made.precision())
      .trace(stream_, {made.cell, to, *made.plan, tape.rows(), tape.data()});
}

StackPlan DeviceBackend::plan_layers(Purpose, const CellSpec&, Precision, const StackDims&) const {
  return {false, 1, 0};
}

std::vector<CallPlan> DeviceBackend::plan_each(Purpose purpose, const CellSpec& cell,
                                               Precision precision, const StackDims& dims,
                                               const StackPlan&) const {
  std::vector<CallPlan> each;
  for (index layer = 0; layer < dims.layers; ++layer) {
    each.push_back(plan(purpose, cell, precision, {dims.of(layer)}));
  }
  return each;
}

void DeviceBackend::forward_layers(const LayersCall&) const {
  throw std::invalid_argument("layers run one after the other on a device");
}

std::vector<Tape> DeviceBackend::forward_layers_saving(const LayersCall&) const {
  throw std::invalid_argument("layers run one after the other on a device");
}

}  // namespace rnnfast
