// One layer in one direction, or a cell, without options: from a framework's tensors to its
// tensors.
#include "bindings/tensors.hpp"

#include "bindings/arguments.hpp"
#include "bindings/new_results.hpp"
#include "bindings/register.hpp"
#include "bindings/sources.hpp"

namespace rnnfast {
namespace {

/// What a pass reads, as one tuple: x, h0, c0, w_ih, w_hh, b_ih and b_hh. All but x and the two
/// matrices may be None.
struct Operands {
  const py::tuple& all;

  py::handle operator[](std::size_t i) const {
    return PyTuple_GET_ITEM(all.ptr(), static_cast<Py_ssize_t>(i));
  }
  py::handle x() const { return (*this)[0]; }
  py::handle h0() const { return (*this)[1]; }
  py::handle c0() const { return (*this)[2]; }
  py::handle weight(WeightId id) const { return (*this)[3 + static_cast<std::size_t>(id)]; }
};

/// The weights of a plain cell of G gates; false where they do not fit.
bool read_weights(const TensorDoor& door, const Operands& operands, index gates, const Dims& dims,
                  WeightSet<const void>& weights) {
  const index rows = gates * dims.units;
  const auto read_one = [&](WeightId id, const Shape& shape) {
    return read(door, operands.weight(id), shape, weights[id]);
  };
  return read_one(WeightId::w_ih, {rows, dims.inputs}) &&
         read_one(WeightId::w_hh, {rows, dims.units}) && read_one(WeightId::b_ih, {rows}) &&
         read_one(WeightId::b_hh, {rows}) && weights[WeightId::w_ih] && weights[WeightId::w_hh];
}

py::object forward(const Exchange& exchange, Extent extent, const Packed& packed, py::handle x,
                   py::handle h0, py::handle c0) {
  return run_into_new(TensorDoor(exchange, packed.header().scalar), packed, extent, x, h0, c0);
}

/// As forward on weights that are not packed: its results, and a tape.
py::object forward_saving(const Exchange& exchange, Extent extent, const py::object& cell,
                          const py::tuple& given, const py::object& precision) {
  const Operands operands = {given};
  TensorView of_x;
  TensorView of_w_hh;
  if (!exchange.look(operands.x(), of_x) || of_x.shape.axes == 0) return not_implemented();
  if (!exchange.look(operands.weight(WeightId::w_hh), of_w_hh) || of_w_hh.shape.axes != 2) {
    return not_implemented();
  }
  const std::optional<ScalarType> scalar = scalar_of(of_x.type);
  if (!scalar) return not_implemented();
  const TensorDoor door(exchange, *scalar);
  const index inputs = of_x.shape.sizes[static_cast<std::size_t>(of_x.shape.axes - 1)];
  Weights weights = {cell_spec(cell), *scalar, {0, 0, inputs, of_w_hh.shape.sizes[1]}, {}};
  const Precision types = precision_of(precision, *scalar);
  const CellTraits& traits = cpu_backend().traits(weights.cell, types);
  Call call = {};
  call.dims = weights.dims;
  if (inputs == 0 || !take_x(of_x, extent, call.dims, call.x) ||
      !read_weights(door, operands, traits.gates, call.dims, weights.arrays) ||
      !read_states(door, operands.h0(), operands.c0(), extent, call.dims, call.initial)) {
    return not_implemented();
  }
  NewResults results(door, traits, extent, call);
  const CallPlan plan = cpu_backend().plan(Purpose::training, weights.cell, types, call.sizes());
  py::object tape = py::cast(without_gil(
      [&] { return cpu_backend().forward_saving(weights, types.storage, call, plan); }));
  return one_or_tuple(results.take(), std::move(tape));
}

/// What arrives from above, of each result or None; copied where it does not lie as it should.
class Upstream {
 public:
  Upstream(const TensorDoor& door, const py::tuple& given) : door_(door), given_(given) {}

  /// False for what cannot be read.
  bool read(Extent extent, const Dims& dims, Pullback& call) {
    const void* dy = nullptr;
    const Shape of_states = state_shape(extent, dims.rows, dims.units);
    if (!read_next(sequence_shape(extent, dims, dims.units), dy)) return false;
    call.dy = dense_sequence(extent, dims, dims.units, dy);
    return (extent == Extent::step || read_next(of_states, call.d_last.h)) &&
           read_next(of_states, call.d_last.c);
  }

 private:
  /// The next one, of a shape; null where it is None or not there.
  bool read_next(const Shape& shape, const void*& data) {
    data = nullptr;
    if (next_ >= given_.size()) return true;
    const py::handle object = PyTuple_GET_ITEM(given_.ptr(), static_cast<Py_ssize_t>(next_));
    py::object& copy = copies_[next_++];
    if (rnnfast::read(door_, object, shape, data)) return true;
    copy = object.attr("resolve_neg")().attr("contiguous")();
    return rnnfast::read(door_, copy, shape, data);
  }

  const TensorDoor& door_;
  const py::tuple& given_;
  std::size_t next_ = 0;
  std::array<py::object, 3> copies_;
};

/// The gradients of operands that are needed, in new tensors; None for others, and for whatever
/// else `needed` goes on to speak of.
class NewGradients {
 public:
  NewGradients(const TensorDoor& door, const py::tuple& needed)
      : door_(door), needed_(needed), found_(needed.size()) {
    for (std::size_t i = 0; i < found_.size(); ++i) found_[i] = py::none();
  }

  Gradients<void> views(Extent extent, const Dims& dims, index gates) {
    Gradients<void> out;
    const index rows = gates * dims.units;
    const Shape of_states = state_shape(extent, dims.rows, dims.units);
    out.x = dense_sequence(extent, dims, dims.inputs,
                           make(0, sequence_shape(extent, dims, dims.inputs)));
    out.initial.h = make(1, of_states);
    out.initial.c = make(2, of_states);
    out.weights[WeightId::w_ih] = make(3, {rows, dims.inputs});
    out.weights[WeightId::w_hh] = make(4, {rows, dims.units});
    out.weights[WeightId::b_ih] = make(5, {rows});
    out.weights[WeightId::b_hh] = make(6, {rows});
    return out;
  }
  py::object take() { return std::move(found_); }

 private:
  /// One to be filled in; null where it is not needed.
  void* make(std::size_t i, const Shape& shape) {
    if (PyTuple_GET_ITEM(needed_.ptr(), static_cast<Py_ssize_t>(i)) != Py_True) return nullptr;
    NewArray array = door_.make(shape);
    found_[i] = std::move(array.object);
    return array.data;
  }

  const TensorDoor& door_;
  const py::tuple& needed_;
  py::tuple found_;
};

py::object backward(const Exchange& exchange, Extent extent, const Tape& tape,
                    const py::tuple& given, const py::tuple& needed, const py::tuple& above) {
  const Header& made = tape.header();
  const Dims& dims = made.dims;
  const index gates = made.traits->gates;
  const TensorDoor door(exchange, made.scalar);
  const Operands operands = {given};
  Pullback call = {};
  View of_x;
  Dims seen = dims;
  if (!door.look(operands.x(), of_x) || !take_x(of_x, extent, seen, call.x) ||
      seen.steps != dims.steps || seen.rows != dims.rows ||
      !read_weights(door, operands, gates, dims, call.weights)) {
    throw std::invalid_argument("a tensor of the forward pass has changed its shape or type");
  }
  Upstream upstream(door, above);
  if (!upstream.read(extent, dims, call)) return not_implemented();
  NewGradients gradients(door, needed);
  call.out = gradients.views(extent, dims, gates);
  without_gil([&] { cpu_backend().backward(tape, call); });
  return gradients.take();
}

template <class Source>
Source source_of(const Exchange& exchange, const py::tuple& tensors) {
  return Source(exchange, tensors);
}

}  // namespace

void register_tensors(py::module_& module) {
  py::enum_<Extent>(module, "Extent")
      .value("sequences", Extent::sequences)
      .value("batch_first", Extent::batch_first)
      .value("step", Extent::step);
  py::class_<Versions>(module, "Versions").def("hold", &Versions::hold);
  py::class_<Contents>(module, "Contents").def("hold", &Contents::hold);
  py::class_<Exchange>(module, "Exchange")
      .def(py::init<const py::object&, const py::object&>())
      .def("versions", &source_of<Versions>, py::keep_alive<0, 1>())
      .def("contents", &source_of<Contents>, py::keep_alive<0, 1>())
      .def("forward", &forward)
      .def("forward_saving", &forward_saving, py::arg(), py::arg(), py::arg(),
           py::arg("precision") = py::none())
      .def("backward", &backward);
}

}  // namespace rnnfast
