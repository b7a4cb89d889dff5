#include "doors/flat_call.hpp"

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "api/planner.hpp"
#include "base/threads.hpp"

namespace rnnfast {
namespace {

constexpr Operand first_weight = Operand::w_ih;

index elements_of(const FlatCall& call, Operand which) {
  const Dims& dims = call.dims;
  const CellTraits& cell = cpu_backend().traits(call.cell, call.scalar);
  const index places = dims.steps * dims.rows;
  const index rows = cell.gates * dims.units;
  switch (which) {
    case Operand::x:
      return places * dims.inputs;
    case Operand::h0:
    case Operand::mask:
      return dims.rows * outputs_of(dims);
    case Operand::c0:
      return dims.rows * dims.units;
    case Operand::w_ih:
      return rows * dims.inputs;
    case Operand::w_hh:
      return rows * outputs_of(dims);
    case Operand::b_ih:
    case Operand::b_hh:
      return rows;
    case Operand::w_hr:
      return dims.projection * dims.units;
    case Operand::of_units:
      return cell.unit_weights * dims.units;
    case Operand::of_norms:
      return cell.norm_rows * dims.units;
    case Operand::lengths:
      return dims.rows;
    case Operand::resets:
      return places;
    case Operand::kept_h:
      return places * outputs_of(dims);
    case Operand::kept_c:
      return places * dims.units;
  }
  return 0;
}

/// An array of x's axes as the kernels take it: time first, in the order of the steps.
template <class T>
Sequence<T> in_time(const FlatCall& call, T* data, index width, index element_bytes) {
  if (!data) return {};
  const Dims& dims = call.dims;
  const bool by_time = call.axes == Axes::time_first;
  Sequence<T> view = {data, by_time ? dims.rows * width : width,
                      by_time ? width : dims.steps * width};
  if (call.direction == Direction::reverse) {
    using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
    const index last = (dims.steps - 1) * view.step_stride * element_bytes;
    view.data = reinterpret_cast<T*>(reinterpret_cast<Byte*>(data) + last);
    view.step_stride = -view.step_stride;
  }
  return view;
}

template <class T>
Sequence<T> numbers_in_time(const FlatCall& call, T* data, index width) {
  return in_time(call, data, width, size_of(call.scalar));
}

Sequence<const bool> resets_in_time(const FlatCall& call, const Operands& operands) {
  return in_time(call, static_cast<const bool*>(operands[Operand::resets]), 1, sizeof(bool));
}

Masks<void> masks_of(const FlatCall& call, const Operands& operands) {
  return {operands[Operand::mask],
          numbers_in_time(call, operands[Operand::kept_h], outputs_of(call.dims)),
          numbers_in_time(call, operands[Operand::kept_c], call.dims.units)};
}

WeightSet<const void> weights_of(const Operands& operands) {
  WeightSet<const void> set;
  for (int i = 0; i < weight_count; ++i) {
    set.arrays[i] = operands[static_cast<Operand>(static_cast<int>(first_weight) + i)];
  }
  return set;
}

/// The steps [begin, end) of each sequence, in the order in which steps are taken; none without
/// lengths.
std::vector<index> spans_of(const FlatCall& call, const Operands& operands) {
  const void* const lengths = operands[Operand::lengths];
  if (!lengths) return {};
  const index steps = call.dims.steps;
  std::vector<index> spans;
  for (index b = 0; b < call.dims.rows; ++b) {
    std::int32_t length = 0;
    std::memcpy(&length, static_cast<const std::int32_t*>(lengths) + b, sizeof(length));
    if (length < 0 || length > steps) {
      throw std::invalid_argument("lengths must be from 0 to T=" + std::to_string(steps) +
                                  ", got " + std::to_string(length) + " for sequence " +
                                  std::to_string(b));
    }
    const index begin = call.direction == Direction::reverse ? steps - length : 0;
    spans.insert(spans.end(), {begin, begin + length});
  }
  return spans;
}

/// What a pass over a call's operands is called with, and what that points to.
struct Pass {
  Weights weights;
  std::vector<index> spans;
  Call call;

  Pass(const FlatCall& of, const Operands& operands, const FlatResults& results)
      : weights{of.cell,
                of.scalar,
                {0, 0, of.dims.inputs, of.dims.units, of.dims.projection},
                weights_of(operands)},
        spans(spans_of(of, operands)),
        call{of.dims,
             numbers_in_time(of, operands[Operand::x], of.dims.inputs),
             {operands[Operand::h0], operands[Operand::c0]},
             numbers_in_time(of, results.y, outputs_of(of.dims)),
             {results.h_n, results.c_n},
             spans.empty() ? nullptr : spans.data(),
             resets_in_time(of, operands),
             masks_of(of, operands)} {}
};

/// A state through to the other end; one that is absent is zero.
void carry(const void* from, void* to, std::size_t bytes) {
  if (!to) return;
  from ? std::memcpy(to, from, bytes) : std::memset(to, 0, bytes);
}

void carry_forward(const FlatCall& call, const Operands& operands, const FlatResults& results) {
  carry(operands[Operand::h0], results.h_n, bytes_of(call, Operand::h0));
  carry(operands[Operand::c0], results.c_n, bytes_of(call, Operand::c0));
}

void carry_back(const FlatCall& call, const FlatUpstream& above, const OperandGradients& out,
                GradientsOf gradients_of) {
  for (std::size_t i = 0; i < differentiable_count; ++i) {
    const auto which = static_cast<Operand>(i);
    const void* const from = which == Operand::h0   ? above.dh_n
                             : which == Operand::c0 ? above.dc_n
                                                    : nullptr;
    carry(from, out[which], gradient_bytes_of(call, which, gradients_of));
  }
}

/// Windows of the input product take all steps, and lengths may leave some idle for all.
CallPlan fitted(CallPlan plan, const FlatCall& call) {
  if (call.has[Operand::lengths]) plan.segment.interleaves_input = false;
  return plan;
}

}  // namespace

std::size_t bytes_of(const FlatCall& call, Operand which) {
  const index bytes = which == Operand::lengths  ? sizeof(std::int32_t)
                      : which == Operand::resets ? sizeof(bool)
                                                 : size_of(call.scalar);
  return static_cast<std::size_t>(elements_of(call, which) * bytes);
}

ResultBytes result_bytes(const FlatCall& call) {
  const bool has_memory = cpu_backend().traits(call.cell, call.scalar).has_memory;
  return {bytes_of(call, Operand::kept_h), bytes_of(call, Operand::h0),
          has_memory ? bytes_of(call, Operand::c0) : 0};
}

std::size_t gradient_bytes_of(const FlatCall& call, Operand which, GradientsOf gradients_of) {
  const bool is_of_each = which >= first_weight && gradients_of == GradientsOf::sequences;
  return bytes_of(call, which) * (is_of_each ? static_cast<std::size_t>(call.dims.rows) : 1);
}

CallPlan plan_flat(Purpose purpose, const FlatCall& call) {
  CallPlan plan =
      cpu_backend().plan(purpose, call.cell, call.scalar, {call.dims, call.has[Operand::mask]});
  return fitted(plan, call);
}

CallPlan plan_flat_ahead(Purpose purpose, const FlatCall& call) {
  const CellTraits& traits = cpu_backend().traits(call.cell, call.scalar);
  CallPlan plan = {purpose, &traits, call.dims,
                   plan_for_threads(purpose, call.dims, traits, default_threads())};
  plan.segment.masks_operand = call.has[Operand::mask];
  return fitted(plan, call);
}

void forward_flat(const FlatCall& call, const CallPlan& plan, const Operands& operands,
                  const FlatResults& results) {
  if (is_empty(call)) return carry_forward(call, operands, results);
  const Pass pass(call, operands, results);
  const RunningCall running;
  cpu_backend().forward(pass.weights, pass.call, plan);
}

Tape forward_saving_flat(const FlatCall& call, const CallPlan& plan, const Operands& operands,
                         const FlatResults& results, TapeMemory memory) {
  const Pass pass(call, operands, results);
  const RunningCall running;
  return cpu_backend().forward_saving(pass.weights, pass.call, plan, std::move(memory));
}

void backward_flat(const FlatCall& call, const Tape* tape, const Operands& operands,
                   const FlatUpstream& above, const OperandGradients& out,
                   GradientsOf gradients_of) {
  if (is_empty(call)) return carry_back(call, above, out, gradients_of);
  WeightSet<void> weights;
  for (int i = 0; i < weight_count; ++i) {
    weights.arrays[i] = out[static_cast<Operand>(static_cast<int>(first_weight) + i)];
  }
  const RunningCall running;
  cpu_backend().backward(*tape, {numbers_in_time(call, operands[Operand::x], call.dims.inputs),
                                 weights_of(operands),
                                 resets_in_time(call, operands),
                                 masks_of(call, operands),
                                 call.truncate,
                                 numbers_in_time(call, above.dy, outputs_of(call.dims)),
                                 {above.dh_n, above.dc_n},
                                 {numbers_in_time(call, out[Operand::x], call.dims.inputs),
                                  weights,
                                  {out[Operand::h0], out[Operand::c0]},
                                  gradients_of == GradientsOf::sequences}});
}

}  // namespace rnnfast
