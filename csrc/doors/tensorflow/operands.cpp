#include "doors/tensorflow/operands.hpp"

#include <stdexcept>
#include <string>

namespace rnnfast::tensorflow {
namespace {

const char* name_of(Operand which) { return operand_names[static_cast<std::size_t>(which)]; }

[[noreturn]] void refuse(Operand which, const std::string& wanted, const Shape& got) {
  throw std::invalid_argument(std::string(name_of(which)) + " must " + wanted + ", got " +
                              (got == absent ? "none" : "shape " + got.text()));
}

void require_axes(Operand which, int axes, const Shape& got) {
  if (got.axes != axes) refuse(which, "have " + std::to_string(axes) + " axes", got);
}

Shape with_steps(const FlatCall& call, index width) {
  const Dims& dims = call.dims;
  return call.axes == Axes::time_first ? Shape{dims.steps, dims.rows, width}
                                       : Shape{dims.rows, dims.steps, width};
}

/// What a cell says of an operand: whether a call must, or may, have it.
enum class Demand { none, optional, required };

Demand demand_of(const CellTraits& cell, Operand which) {
  const auto if_there = [](bool there, Demand demand) { return there ? demand : Demand::none; };
  switch (which) {
    case Operand::x:
    case Operand::w_ih:
    case Operand::w_hh:
      return Demand::required;
    case Operand::c0:
    case Operand::kept_c:
      return if_there(cell.has_memory, Demand::optional);
    case Operand::w_hr:
      return if_there(cell.may_project, Demand::optional);
    case Operand::of_units:
      return if_there(cell.unit_weights > 0, Demand::required);
    case Operand::of_norms:
      return if_there(cell.norm_rows > 0, Demand::required);
    default:
      return Demand::optional;
  }
}

}  // namespace

Shape shape_of(const FlatCall& call, Operand which) {
  const Dims& dims = call.dims;
  const CellTraits& cell = cpu_backend().traits(call.cell, call.scalar);
  const index rows = cell.gates * dims.units;
  const index outputs = outputs_of(dims);
  switch (which) {
    case Operand::x:
      return with_steps(call, dims.inputs);
    case Operand::h0:
    case Operand::mask:
      return {dims.rows, outputs};
    case Operand::c0:
      return {dims.rows, dims.units};
    case Operand::w_ih:
      return {rows, dims.inputs};
    case Operand::w_hh:
      return {rows, outputs};
    case Operand::b_ih:
    case Operand::b_hh:
      return {rows};
    case Operand::w_hr:
      return {outputs, dims.units};
    case Operand::of_units:
      return {cell.unit_weights * dims.units};
    case Operand::of_norms:
      return {cell.norm_rows * dims.units};
    case Operand::lengths:
      return {dims.rows};
    case Operand::resets: {
      const Shape shape = with_steps(call, 0);
      return {shape.sizes[0], shape.sizes[1]};
    }
    case Operand::kept_h:
      return with_steps(call, outputs);
    case Operand::kept_c:
      return with_steps(call, dims.units);
  }
  return absent;
}

OperandTensors::OperandTensors(TF_OpKernelContext* call, TF_Status* status) {
  for (std::size_t i = 0; i < operand_count; ++i) {
    tensors_[i] = input(call, static_cast<int>(i), status);
    shapes_[i] = tensorflow::shape_of(tensors_[i], operand_names[i]);
  }
}

FlatCall OperandTensors::call(const Recurrence& of) const {
  const Shape& x = shape(Operand::x);
  const Shape& w_hh = shape(Operand::w_hh);
  require_axes(Operand::x, 3, x);
  require_axes(Operand::w_hh, 2, w_hh);
  const bool by_time = of.axes == Axes::time_first;
  FlatCall call = {of.cell, of.scalar, {}, of.axes, of.direction, of.truncate};
  call.dims = {x.sizes[by_time ? 0 : 1], x.sizes[by_time ? 1 : 0], x.sizes[2], w_hh.sizes[1]};
  if (has(Operand::w_hr)) {
    require_axes(Operand::w_hr, 2, shape(Operand::w_hr));
    call.dims.projection = call.dims.units;
    call.dims.units = shape(Operand::w_hr).sizes[1];
  }
  for (std::size_t i = 0; i < operand_count; ++i) call.has.all[i] = has(static_cast<Operand>(i));
  if (call.dims.inputs == 0) refuse(Operand::x, "have an input", x);
  if (w_hh.sizes[1] == 0 || call.dims.units == 0) refuse(Operand::w_hh, "have a unit", w_hh);
  if (of.truncate < 0) {
    throw std::invalid_argument("truncate must be at least 0, got " + std::to_string(of.truncate));
  }
  require(call);
  return call;
}

void OperandTensors::require(const FlatCall& call) const {
  const CellTraits& cell = cpu_backend().traits(call.cell, call.scalar);
  for (std::size_t i = 0; i < operand_count; ++i) {
    const auto which = static_cast<Operand>(i);
    const Demand demand = demand_of(cell, which);
    if (!has(which)) {
      if (demand == Demand::required || call.has[which]) refuse(which, "be there", absent);
      continue;
    }
    if (demand == Demand::none || !call.has[which]) refuse(which, "be absent", shape(which));
    const Shape wanted = tensorflow::shape_of(call, which);
    if (shape(which) != wanted) refuse(which, "have shape " + wanted.text(), shape(which));
  }
  if (cell.has_memory && has(Operand::kept_h) != has(Operand::kept_c)) {
    throw std::invalid_argument("kept_h and kept_c must be given together");
  }
}

Operands OperandTensors::data() const {
  Operands operands;
  for (std::size_t i = 0; i < operand_count; ++i) {
    if (shapes_[i] != absent) operands.all[i] = tensorflow::data(tensors_[i]);
  }
  return operands;
}

}  // namespace rnnfast::tensorflow
