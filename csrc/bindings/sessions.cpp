// Sessions: a stream's steps, entered directly.
#include "bindings/direct_method.hpp"
#include "bindings/register.hpp"
#include "bindings/served.hpp"
#include "bindings/states_before.hpp"

namespace rnnfast {
namespace {

/// x (I,), out (R,) or None.
py::object step(ServedSession& served, py::handle x, py::handle out) {
  const Model& model = served.of.model();
  const NumpyDoor door(model.scalar());
  View of_x;
  NewArray y;
  if (!door.look(x, of_x) || !(of_x.shape == Shape{model.inputs()}) ||
      !take_out(door, out, {model.outputs()}, of_x, size_of(model.scalar()), y)) {
    return not_implemented();
  }
  const Turn turn(served);
  run_lasting(served.products, [&] { served.of.step(of_x.data, y.data); });
  return y.object;
}

/// A run that a signal may end: the session is then as it was before.
void run_asking(ServedSession& served, index steps, const Sequence<const void>& x,
                const Sequence<void>& y) {
  const ScalarType scalar = served.of.model().scalar();
  StatesBefore before;
  before.add(served.of.model(), [&](index layer) { return served.of.state(layer); });
  const index piece = steps_of_a_piece(served.products);
  for (index step = 0; step < steps; step += piece) {
    without_gil([&] {
      served.of.run(std::min(piece, steps - step), beginning(x, step, 0, scalar),
                    beginning(y, step, 0, scalar));
    });
    if (PyErr_CheckSignals() != 0) {
      before.restore();
      throw py::error_already_set();
    }
  }
}

/// x (T, I), out (T, R) or None.
py::object run(ServedSession& served, py::handle x, py::handle out) {
  const Model& model = served.of.model();
  const NumpyDoor door(model.scalar());
  const index number = size_of(model.scalar());
  View of_x;
  NewArray y;
  if (!door.look(x, of_x) || of_x.shape.axes != 2 || of_x.shape.sizes[1] != model.inputs() ||
      !take_out(door, out, {of_x.shape.sizes[0], model.outputs()}, of_x, number, y)) {
    return not_implemented();
  }
  const index steps = of_x.shape.sizes[0];
  const double products = served.products * static_cast<double>(steps);
  const Sequence<const void> from = {of_x.data, model.inputs(), 0};
  const Sequence<void> to = {y.data, model.outputs(), 0};
  const Turn turn(served);
  if (products > long_run) {
    run_asking(served, steps, from, to);
  } else {
    run_lasting(products, [&] { served.of.run(steps, from, to); });
  }
  return y.object;
}

}  // namespace

void register_sessions(py::module_& module) {
  py::class_<ServedSession>(module, "Session")
      .def_property_readonly("nbytes",
                             [](const ServedSession& served) { return served.of.bytes(); })
      .def_property_readonly("step", &direct_method<ServedSession, &step>)
      .def_property_readonly("run", &direct_method<ServedSession, &run>)
      .def("reset",
           [](ServedSession& served) {
             const Turn turn(served);
             served.of.reset();
           })
      .def("read_state",
           [](ServedSession& served, index layer, py::handle h, py::handle c) {
             const Turn turn(served);
             read_state(served.of.model(), layer, served.of.state(layer), h, c);
           })
      .def("write_state", [](ServedSession& served, index layer, py::handle h, py::handle c) {
        const Turn turn(served);
        write_state(served.of.model(), layer, served.of.state(layer), h, c);
      });
}

}  // namespace rnnfast
