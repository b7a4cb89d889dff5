// The cells: forward, forward that saves and its Tape, and packed weights.
#include "bindings/arguments.hpp"
#include "bindings/direct_method.hpp"
#include "bindings/new_results.hpp"
#include "bindings/numpy_door.hpp"
#include "bindings/register.hpp"

namespace rnnfast {
namespace {

using Object = const py::object&;

void forward(Object cell, const py::array& x, const py::tuple& given, Object h0, Object c0,
             Object spans, Object resets, Object masks, const py::array& y, const py::array& h_n,
             Object c_n) {
  const Weights weights = weights_of(cell, given);
  const Call call = call_of({x, h0, c0, spans, resets, masks, y, h_n, c_n},
                            dims_of(x, weights.dims), weights.scalar);
  const CallPlan plan =
      cpu_backend().plan(Purpose::inference, weights.cell, weights.scalar, call.sizes());
  without_gil([&] { cpu_backend().forward(weights, call, plan); });
}

// A tape is returned by value: where pybind11 gets no memory for what holds it, a unique pointer
// would be freed twice.
template <Purpose purpose>
Tape forward_saving(Object cell, const py::array& x, const py::tuple& given, Object h0, Object c0,
                    Object spans, Object resets, Object masks, const py::array& y,
                    const py::array& h_n, Object c_n, Object precision) {
  const Weights weights = weights_of(cell, given);
  const Precision types = precision_of(precision, weights.scalar);
  const Call call = call_of({x, h0, c0, spans, resets, masks, y, h_n, c_n},
                            dims_of(x, weights.dims), weights.scalar);
  const CallPlan plan = cpu_backend().plan(purpose, weights.cell, types, call.sizes());
  return without_gil(
      [&] { return cpu_backend().forward_saving(weights, types.storage, call, plan); });
}

enum class GradientsOf { batch, sequences };

template <GradientsOf weights_of>
void backward(const Tape& tape, const py::array& x, const py::tuple& weights, Object resets,
              Object masks, index truncate, Object dy, Object dh_n, Object dc_n, Object dx,
              const py::tuple& gradients, Object dh0, Object dc0) {
  const Dims& dims = tape.header().dims;
  const int number = type_number(tape.header().scalar);
  require_of("x", x, number, {dims.steps, dims.rows, dims.inputs});
  require_of("dx", dx, number, {dims.steps, dims.rows, dims.inputs});
  require_of("dy", dy, number, {dims.steps, dims.rows, outputs_of(dims)});
  require_of("resets", resets, number_of_bool, {dims.steps, dims.rows});
  const index bytes = size_of(tape.header().scalar);
  const Pullback call = {sequence<const void>(x, bytes),
                         weight_set<const void>(weights),
                         resets_of(resets),
                         masks_of(masks, bytes),
                         truncate,
                         sequence<const void>(dy, bytes),
                         {pointer<const void>(dh_n), pointer<const void>(dc_n)},
                         {sequence<void>(dx, bytes),
                          weight_set<void>(gradients),
                          {pointer<void>(dh0), pointer<void>(dc0)},
                          weights_of == GradientsOf::sequences}};
  without_gil([&] { cpu_backend().backward(tape, call); });
}

void trace(const Tape& tape, const py::tuple& weights, const py::array& gates, Object c) {
  const Header& made = tape.header();
  require_of("gates", gates, type_number(made.scalar),
             {made.dims.steps, made.dims.rows, made.traits->gates, made.dims.units});
  const index bytes = size_of(made.scalar);
  const TraceTo to = {weight_set<const void>(weights), sequence<void>(gates, bytes),
                      sequence<void>(c, bytes)};
  without_gil([&] { cpu_backend().trace(tape, to); });
}

Packed pack(Object cell, const py::tuple& given, Object precision, const py::tuple& scales) {
  const Weights weights = weights_of(cell, given, scales);
  const StorageType storage = precision_of(precision, weights.scalar).storage;
  return without_gil([&] { return cpu_backend().pack(weights, storage); });
}

void forward_packed(const Packed& packed, const py::array& x, Object h0, Object c0, Object spans,
                    Object resets, Object masks, const py::array& y, const py::array& h_n,
                    Object c_n) {
  const Header& made = packed.header();
  const Call call =
      call_of({x, h0, c0, spans, resets, masks, y, h_n, c_n}, dims_of(x, made.dims), made.scalar);
  const CallPlan plan = cpu_backend().plan(packed, call.sizes());
  without_gil([&] { cpu_backend().forward(packed, call, plan); });
}

/// `state` is None, h, or h and c in a tuple where the cell has both.
template <Extent extent>
py::object run(const Packed& packed, py::handle x, py::handle state) {
  const Header& made = packed.header();
  py::handle h0 = state;
  py::handle c0 = Py_None;
  if (!state.is_none() && made.traits->has_memory) {
    if (!PyTuple_CheckExact(state.ptr()) || PyTuple_GET_SIZE(state.ptr()) != 2) {
      return not_implemented();
    }
    h0 = PyTuple_GET_ITEM(state.ptr(), 0);
    c0 = PyTuple_GET_ITEM(state.ptr(), 1);
  }
  return run_into_new(NumpyDoor(made.scalar), packed, extent, x, h0, c0);
}

}  // namespace

void register_cells(py::module_& module) {
  py::class_<Tape>(module, "Tape")
      .def_property_readonly("nbytes", &Tape::bytes)
      .def("backward", &backward<GradientsOf::batch>)
      .def("backward_per_sample", &backward<GradientsOf::sequences>)
      .def("trace", &trace);
  module.def("forward", &forward);
  module.def("forward_saving", &forward_saving<Purpose::training>);
  module.def("forward_saving_checkpoints", &forward_saving<Purpose::training_with_checkpoints>);
  py::class_<Packed>(module, "Packed")
      .def_property_readonly("nbytes", &Packed::bytes)
      .def_property_readonly("precision",
                             [](const Packed& of) { return name_of(of.header().storage); })
      .def("forward", &forward_packed)
      .def_property_readonly("step", &direct_method<Packed, &run<Extent::step>>)
      .def_property_readonly("run", &direct_method<Packed, &run<Extent::of_layer>>)
      .def_property_readonly("run_stacked", &direct_method<Packed, &run<Extent::sequences>>);
  // Made by a function: pybind11 asks for memory after a constructor where nobody catches.
  module.def("pack", &pack, py::arg(), py::arg(), py::arg("precision") = py::none(),
             py::arg("scales") = py::make_tuple(py::none(), py::none()));
}

}  // namespace rnnfast
