// The general driver as a backend calls it, for a cell in numbers T, on a stream of a device
// (general/device.hpp):
//
//   pack                 weights in the order of parts, for any number of calls
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

#include "cuda/general/backward.hpp"
#include "cuda/general/trace.hpp"

namespace rnnfast {
namespace {

/// To memory that `to` has been placed in.
template <class Device, class Cell, class T>
void pack(Device& device, const WeightSet<const T>& from, const PackedWeights<Cell, T>& to);

/// `tape` is placed, as its plan says; of Kept::nothing it has no memory.
template <class Device, class Cell, class T>
void general_forward(Device& device, const ForwardCall<T>& call,
                     const PackedWeights<Cell, T>& weights, const GeneralTape<Cell, T>& tape);

/// `call.rows` as they were for the forward pass.
template <class Device, class Cell, class T>
void general_backward(Device& device, const BackwardCall<T>& call,
                      const GeneralTape<Cell, T>& tape);

/// Writes the steps that sequences take, and no others.
template <class Device, class Cell, class T>
void general_trace(Device& device, const TraceCall<T>& call, const GeneralTape<Cell, T>& tape);

}  // namespace
}  // namespace rnnfast
