// The general driver as a backend calls it, for a cell in numbers T, on a stream of a device
// (general/device.hpp):
//
//   general_pack         weights in the order of parts, for any number of calls
//   general_forward      y and the last states; by a plan that keeps nothing, all, or checkpoints
//                        (general/plan.hpp), and what it keeps goes to the tape
//   general_backward     gradients, from a tape of all or of checkpoints
//   general_trace        gates and c of every step, from a tape of all
//
//     GeneralPlan plan = general_plan(dims, Kept::checkpoints, masks_h);
//     PackedWeights<Cell, T> weights(dims);    measure(weights) bytes,  place_in(memory, weights)
//     GeneralTape<Cell, T> tape(dims, plan);   measure(tape) bytes,     place_in(memory, tape)
//
// Memory of weights and tapes is the caller's, and so are the bytes: functions of sizes, the cell
// and the plan alone, not of lengths. All else that a pass works with is the stream's own and
// serves the next pass too. What calls point to lies on the device, but for `rows`, by rank, and
// `activations`, which lie on the host and are read before a function returns. T, B, I, H and R
// are at least 1. Nothing here looks for what a caller may have got wrong.
//
// A pass that comes once more, with the same sizes, lengths, plan and addresses, is replayed from
// a graph of its launches where the stream can (cuda/recordings.hpp); numbers may be others.
#pragma once

#include <tuple>

#include "cuda/general/backward.hpp"
#include "cuda/general/trace.hpp"

namespace rnnfast {
namespace {

/// To memory that `to` has been placed in.
template <class Device, class Cell, class Stored>
void general_pack(Device& device, const WeightSet<const Stored>& from,
                  const PackedWeights<Cell, Stored>& to) {
  to.pack(device, from);
}

/// An address that no other pass has.
template <auto pass>
constexpr char pass_tag = 0;

template <class Stored>
void add_call(CallKey& key, const GeneralPlan& plan, const ForwardCall<Stored>& call) {
  key.add_all(static_cast<index>(plan.kept), plan.block_steps, plan.stretch_steps);
  key.add_all(call.dims, call.x, call.initial, call.y, call.last, call.resets, call.masks);
  key.add(call.rows, call.dims.rows);
  key.add(call.activations, most_activations);
}

template <class Stored>
void add_call(CallKey& key, const GeneralPlan& plan, const BackwardCall<Stored>& call) {
  key.add_all(static_cast<index>(plan.kept), plan.block_steps, plan.stretch_steps);
  key.add_all(call.dims, call.x, call.weights, call.dy, call.d_last, call.resets, call.masks,
              call.truncate);
  key.add_all(call.out.x, call.out.weights, call.out.initial);
  key.add(call.rows, call.dims.rows);
  key.add(call.activations, most_activations);
}

/// What a pass works with: parts, one after the other.
template <class... Parts>
struct WorkOf {
  std::tuple<Parts&...> parts;

  explicit WorkOf(Parts&... parts) : parts(parts...) {}

  template <class Memory>
  void place(Memory& memory) {
    std::apply([&](Parts&... part) { (part.place(memory), ...); }, parts);
  }
};

/// The half of a tape that is not the caller's.
template <class Tape>
struct RestOf {
  Tape& tape;

  explicit RestOf(Tape& tape) : tape(tape) {}

  template <class Memory>
  void place(Memory& memory) {
    tape.place_rest(memory);
  }
};

/// `tape` is placed, as its plan says; one of Kept::nothing has no memory.
template <class Device, class Cell, class Stored>
void general_forward(Device& device, const ForwardCall<Stored>& call,
                     const PackedWeights<Cell, Stored>& weights, GeneralTape<Cell, Stored> tape) {
  CallKey key(&pass_tag<&general_forward<Device, Cell, Stored>>);
  add_call(key, tape.plan, call);
  key.add_all(weights.matrices.w_ih, tape.address());
  RowTables tables = {call.dims, call.rows != nullptr};
  GeneralForwardWork<Cell, Stored> work = {call.dims, tape.plan.block_steps};
  RestOf rest(tape);
  WorkOf all(tables, rest, work);
  device.pass(all, key, [&] {
    tables.write(device, call.rows);
    ForwardCall<Stored> there = call;
    there.rows = tables.rows;
    GeneralForward<Device, Cell, Stored>(device, there, weights, PackedRows(call.dims, call.rows),
                                         tables, tape, work)
        .run();
  });
}

/// `call.rows` and masks as they were for the forward pass.
template <class Device, class Cell, class Stored>
void general_backward(Device& device, const BackwardCall<Stored>& call,
                      GeneralTape<Cell, Stored> tape) {
  CallKey key(&pass_tag<&general_backward<Device, Cell, Stored>>);
  add_call(key, tape.plan, call);
  key.add(tape.address());
  RowTables tables = {call.dims, call.rows != nullptr};
  PackedWeights<Cell, Stored> weights(call.dims);
  GeneralForwardWork<Cell, Stored> again = {call.dims, tape.plan.block_steps};
  GeneralCheckpoints<Cell, ScalarOf<Stored>> unneeded(call.dims, 1);
  GeneralBackwardWork<Cell, Stored> work(call.dims, tape.plan);
  WeightSumsWork<Cell, Stored> sums(call.dims, tape.plan, call.out.weights);
  RestOf rest(tape);
  WorkOf all(tables, weights, rest, again, unneeded, work, sums);
  device.pass(all, key, [&] {
    const PackedRows packed(call.dims, call.rows);
    tables.write(device, call.rows);
    weights.pack(device, call.weights);
    BackwardCall<Stored> there = call;
    there.rows = tables.rows;
    ForwardCall<Stored> once_more = {};
    once_more.dims = call.dims;
    once_more.x = call.x;
    once_more.rows = tables.rows;
    once_more.resets = call.resets;
    once_more.masks = call.masks;
    once_more.activations = call.activations;
    GeneralForward<Device, Cell, Stored> forward(device, once_more, weights, packed, tables, tape,
                                                 again);
    WeightSums<Device, Cell, Stored> of_weights(device, sums);
    GeneralBackward<Device, Cell, Stored>(device, there, weights, packed, tables, tape, forward,
                                          unneeded.before(0), work, of_weights)
        .run();
  });
}

/// Writes the steps that sequences take, and no others.
template <class Device, class Cell, class Stored>
void general_trace(Device& device, const TraceCall<Stored>& call,
                   const GeneralTape<Cell, Stored>& tape) {
  const Dims& dims = tape.history.dims;
  CallKey key(&pass_tag<&general_trace<Device, Cell, Stored>>);
  key.add_all(dims, call.weights, call.gates, call.c, tape.address());
  key.add(call.rows, dims.rows);
  key.add(call.activations, most_activations);
  RowTables tables = {dims, call.rows != nullptr};
  PackedNorms<Cell, Stored> norms = {dims.units};
  WorkOf all(tables, norms);
  device.pass(all, key, [&] {
    tables.write(device, call.rows);
    norms.pack(device, call.weights);
    const Cell cell = {{}, decltype(Cell::act)(call.activations)};
    run_elements(
        device, PackedRows(dims, call.rows).count(), dims.units,
        WriteTrace<Cell, Stored>{cell, dims.units, tape.history.slots, tape.history.before.c,
                                 norms.arrays(), tables.found(), call.gates, call.c});
  });
}

}  // namespace
}  // namespace rnnfast
