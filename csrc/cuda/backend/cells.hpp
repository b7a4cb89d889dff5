// The passes of cells by the general driver (cuda/general/passes.hpp), as the backend of a device's
// stream calls them. `On` has the driver's device of such a stream:
//
//   On::of(DeviceStream&)      cuda/general/device.hpp says what it can do
#pragma once

#include <vector>

#include "api/device.hpp"
#include "api/typed.hpp"
#include "cuda/general/passes.hpp"

namespace rnnfast {
namespace {

constexpr Kept kept_by(Purpose purpose) {
  return purpose == Purpose::training                    ? Kept::all
         : purpose == Purpose::training_with_checkpoints ? Kept::checkpoints
                                                         : Kept::nothing;
}

/// For arrays of `Stored` (cuda/stored.hpp).
template <class On, class Cell, class Stored>
struct CellOnDevice {
  using T = ScalarOf<Stored>;

  static CellTraits traits() {
    CellTraits found = {Cell::gates, Cell::parts, Cell::phases, sizeof(Stored), 1};
    found.has_memory = Cell::has_memory;
    found.norm_rows = norm_rows<Cell>();
    found.unit_weights = unit_weights_of<Cell>();
    found.may_project = Projectable<Cell>;
    return found;
  }

  static PackedWeights<Cell, Stored> weights(const Dims& dims, const char* memory) {
    PackedWeights<Cell, Stored> found(dims);
    place_in(const_cast<char*>(memory), found);
    return found;
  }
  static GeneralTape<Cell, Stored> tape(const CallPlan& plan, const char* memory) {
    GeneralTape<Cell, Stored> found(
        plan.dims, general_plan(plan.dims, kept_by(plan.purpose), plan.segment.masks_operand));
    if (memory) place_in(const_cast<char*>(memory), found);
    return found;
  }

  static std::size_t packed_bytes(const Dims& dims) {
    PackedWeights<Cell, Stored> of(dims);
    return measure(of);
  }
  static std::size_t tape_bytes(const CallPlan& plan) {
    GeneralTape<Cell, Stored> of = tape(plan, nullptr);
    return measure(of);
  }

  static void pack_weights(DeviceStream& stream, const Weights& from, char* to) {
    general_pack(On::of(stream), typed<Stored>(from.arrays), weights(from.dims, to));
  }

  static void forward(DeviceStream& stream, const DeviceForward& of) {
    const Call& call = of.call;
    const ForwardCall<Stored> pass = {call.dims,
                                      typed<Stored>(call.x),
                                      typed<Stored>(call.initial),
                                      typed<Stored>(call.y),
                                      typed<Stored>(call.last),
                                      of.rows,
                                      call.resets,
                                      typed<T>(call.masks),
                                      of.cell.activations()};
    general_forward(On::of(stream), pass, weights(call.dims, of.packed), tape(of.plan, of.tape));
  }

  static void backward(DeviceStream& stream, const DeviceBackward& of) {
    const Pullback& call = of.call;
    const BackwardCall<Stored> pass = {of.plan.dims,
                                       typed<Stored>(call.x),
                                       typed<Stored>(call.weights),
                                       typed<Stored>(call.dy),
                                       typed<Stored>(call.d_last),
                                       typed<Stored>(call.out),
                                       of.rows,
                                       call.resets,
                                       typed<T>(call.masks),
                                       call.truncate,
                                       of.cell.activations()};
    general_backward(On::of(stream), pass, tape(of.plan, of.tape));
  }

  static void trace(DeviceStream& stream, const DeviceTrace& of) {
    const TraceCall<Stored> pass = {typed<Stored>(of.to.weights), typed<Stored>(of.to.gates),
                                    typed<Stored>(of.to.c), of.rows, of.cell.activations()};
    general_trace(On::of(stream), pass, tape(of.plan, of.tape));
  }

  static DeviceCell functions(const char* name) {
    return {name, traits(), &packed_bytes, &tape_bytes, &pack_weights, &forward, &backward, &trace};
  }
};

}  // namespace
}  // namespace rnnfast
