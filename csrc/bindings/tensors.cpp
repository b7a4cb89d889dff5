// One layer in one direction without options, from a framework's tensors to its tensors.
#include "bindings/tensors.hpp"

#include "bindings/arguments.hpp"
#include "bindings/new_results.hpp"
#include "bindings/register.hpp"
#include "bindings/sources.hpp"

namespace rnnfast {
namespace {

/// The weights of a plain cell of G gates; false where they do not fit.
bool read_weights(const TensorDoor& door, const py::tuple& given, index gates, const Dims& dims,
                  WeightSet<const void>& weights) {
  const index rows = gates * dims.units;
  const auto read_one = [&](WeightId id, const Shape& shape) {
    return read(door, weight(given, id), shape, weights[id]);
  };
  return read_one(WeightId::w_ih, {rows, dims.inputs}) &&
         read_one(WeightId::w_hh, {rows, dims.units}) && read_one(WeightId::b_ih, {rows}) &&
         read_one(WeightId::b_hh, {rows}) && weights[WeightId::w_ih] && weights[WeightId::w_hh];
}

template <Extent extent>
py::object forward(const Exchange& exchange, const Packed& packed, py::handle x, py::handle h0,
                   py::handle c0) {
  return run_into_new(TensorDoor(exchange, packed.header().scalar), packed, extent, x, h0, c0);
}

/// As forward on weights that are not packed, and a tape as the last item.
py::object forward_saving(const Exchange& exchange, const py::object& cell, py::handle x,
                          const py::tuple& given, py::handle h0, py::handle c0) {
  TensorView of_x;
  TensorView of_w_hh;
  if (!exchange.look(x, of_x) || of_x.shape.axes != 3) return not_implemented();
  if (!exchange.look(weight(given, WeightId::w_hh), of_w_hh) || of_w_hh.shape.axes != 2) {
    return not_implemented();
  }
  const std::optional<ScalarType> scalar = scalar_of(of_x.type);
  if (!scalar) return not_implemented();
  const TensorDoor door(exchange, *scalar);
  Weights weights = {
      cell_spec(cell), *scalar, {0, 0, of_x.shape.sizes[2], of_w_hh.shape.sizes[1]}, {}};
  const CellTraits& traits = cpu_backend().traits(weights.cell, *scalar);
  Call call = {};
  call.dims = weights.dims;
  if (weights.dims.inputs == 0 || !take_x(of_x, Extent::sequences, call.dims, call.x) ||
      !read_weights(door, given, traits.gates, call.dims, weights.arrays) ||
      !read_states(door, h0, c0, Extent::sequences, call.dims, call.initial)) {
    return not_implemented();
  }
  const Dims& dims = call.dims;
  NewArray y = door.make({dims.steps, dims.rows, dims.units});
  NewStates states(door, traits, Extent::sequences, dims);
  call.y = {y.data, dims.rows * dims.units, dims.units};
  call.last = states.views();
  const CallPlan plan = cpu_backend().plan(Purpose::training, weights.cell, *scalar, call.sizes());
  py::object tape =
      py::cast(without_gil([&] { return cpu_backend().forward_saving(weights, call, plan); }));
  return one_or_tuple(y.object, states.h.object, states.c.object, tape);
}

/// What arrives from above, of a shape, dense; null for None. `kept` holds what had to be copied.
const void* upstream(const TensorDoor& door, py::handle object, const Shape& shape,
                     py::object& kept) {
  const void* data = nullptr;
  kept = object.is_none() ? py::none() : object.attr("resolve_neg")().attr("contiguous")();
  if (!read(door, kept, shape, data)) {
    throw std::invalid_argument("a gradient does not fit the result it is of");
  }
  return data;
}

/// The gradients that are wanted, in new tensors: of x, h0, c0 and the four weights.
struct NewGradients {
  const TensorDoor& door;
  const py::tuple& wanted;
  py::tuple found{7};

  /// One to be filled in; null where it is not wanted.
  void* make(std::size_t i, const Shape& shape) {
    found[i] = py::none();
    if (!wanted[i].cast<bool>()) return nullptr;
    NewArray array = door.make(shape);
    found[i] = std::move(array.object);
    return array.data;
  }

  Gradients<void> views(const Dims& dims, index rows) {
    Gradients<void> out;
    out.x = {make(0, {dims.steps, dims.rows, dims.inputs}), dims.rows * dims.inputs, dims.inputs};
    out.initial.h = make(1, {1, dims.rows, dims.units});
    out.initial.c = make(2, {1, dims.rows, dims.units});
    out.weights[WeightId::w_ih] = make(3, {rows, dims.inputs});
    out.weights[WeightId::w_hh] = make(4, {rows, dims.units});
    out.weights[WeightId::b_ih] = make(5, {rows});
    out.weights[WeightId::b_hh] = make(6, {rows});
    return out;
  }
};

py::object backward(const Exchange& exchange, const Tape& tape, py::handle x,
                    const py::tuple& given, const py::tuple& above, const py::tuple& wanted) {
  const Header& made = tape.header();
  const Dims& dims = made.dims;
  const index gates = made.traits->gates;
  const TensorDoor door(exchange, made.scalar);
  Pullback call = {};
  View of_x;
  Dims seen = dims;
  if (!door.look(x, of_x) || !take_x(of_x, Extent::sequences, seen, call.x) ||
      seen.steps != dims.steps || seen.rows != dims.rows ||
      !read_weights(door, given, gates, dims, call.weights)) {
    throw std::invalid_argument("a tensor of the forward pass has changed its shape or type");
  }
  py::object kept[3];
  const Shape of_states = {1, dims.rows, dims.units};
  call.dy = {upstream(door, above[0], {dims.steps, dims.rows, dims.units}, kept[0]),
             dims.rows * dims.units, dims.units};
  call.d_last = {upstream(door, above[1], of_states, kept[1]),
                 upstream(door, above[2], of_states, kept[2])};
  NewGradients gradients = {door, wanted};
  call.out = gradients.views(dims, gates * dims.units);
  without_gil([&] { cpu_backend().backward(tape, call); });
  return std::move(gradients.found);
}

template <class Source>
Source source_of(const Exchange& exchange, const py::tuple& tensors) {
  return Source(exchange, tensors);
}

}  // namespace

void register_tensors(py::module_& module) {
  py::class_<Versions>(module, "Versions").def("hold", &Versions::hold);
  py::class_<Contents>(module, "Contents").def("hold", &Contents::hold);
  py::class_<Exchange>(module, "Exchange")
      .def(py::init<const py::object&, const py::object&>())
      .def("versions", &source_of<Versions>, py::keep_alive<0, 1>())
      .def("contents", &source_of<Contents>, py::keep_alive<0, 1>())
      .def("forward", &forward<Extent::sequences>)
      .def("step", &forward<Extent::step>)
      .def("forward_saving", &forward_saving)
      .def("backward", &backward);
}

}  // namespace rnnfast
