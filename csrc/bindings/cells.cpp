// The cells: forward, forward that saves and its Tape, and prepacked weights.
#include "bindings/direct_method.hpp"
#include "bindings/packed.hpp"
#include "bindings/register.hpp"
#include "bindings/tape.hpp"

namespace rnnfast {
namespace {

void forward(const py::object& cell, const py::array& x, const py::tuple& given,
             const py::object& h0, const py::object& c0, const py::object& spans,
             const py::object& resets, const py::object& masks, const py::array& y,
             const py::array& h_n, const py::object& c_n) {
  with_scalar(x.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    const CellChoice choice(cell);
    const CellKernels<T>& kernels = choice.kernels<T>();
    const Dims dims = dims_of(x, dims_of(given));
    const WeightSet<const T> weights = weights_of<const T>(given);
    const Masks<T> noise = masks_of<T>(masks);
    const PlanSegment plan = plan_masked(Purpose::inference, dims, kernels.traits, noise);
    const std::vector<SequenceRow> rows = rows_of(spans, plan);
    const ForwardCall<T> call =
        forward_call<T>(dims, x, h0, c0, y, h_n, c_n, rows, resets, choice, noise);
    without_gil([&] {
      const Arena packed = pack(kernels, dims, weights, plan.threads);
      kernels.forward(call, plan, packed.data());
    });
  });
}

// A tape is returned by value: where pybind11 gets no memory for what holds it, a unique pointer
// would be freed twice.
template <Purpose purpose>
Tape forward_saving(const py::object& cell, const py::array& x, const py::tuple& given,
                    const py::object& h0, const py::object& c0, const py::object& spans,
                    const py::object& resets, const py::object& masks, const py::array& y,
                    const py::array& h_n, const py::object& c_n) {
  constexpr bool all = purpose == Purpose::training;
  return with_scalar(x.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    const CellChoice choice(cell);
    const CellKernels<T>& kernels = choice.kernels<T>();
    const Dims dims = dims_of(x, dims_of(given));
    const WeightSet<const T> weights = weights_of<const T>(given);
    const Masks<T> noise = masks_of<T>(masks);
    const PlanSegment plan = plan_masked(purpose, dims, kernels.traits, noise);
    std::vector<SequenceRow> rows = rows_of(spans, plan);
    const ForwardCall<T> call =
        forward_call<T>(dims, x, h0, c0, y, h_n, c_n, rows, resets, choice, noise);
    return without_gil([&] {
      const Arena packed = pack(kernels, dims, weights, plan.threads);
      Arena saved((all ? kernels.saved_bytes : kernels.checkpoint_bytes)(dims, plan));
      (all ? kernels.forward_saving : kernels.forward_saving_checkpoints)(call, plan, packed.data(),
                                                                          saved.data());
      return Tape(choice, scalar_of<T>(), purpose, dims, plan, std::move(rows), std::move(saved));
    });
  });
}

}  // namespace

void register_cells(py::module_& module) {
  py::class_<Tape>(module, "Tape")
      .def_property_readonly("nbytes", &Tape::bytes)
      .def("backward", &Tape::backward)
      .def("trace", &Tape::trace);
  module.def("forward", &forward);
  module.def("forward_saving", &forward_saving<Purpose::training>);
  module.def("forward_saving_checkpoints", &forward_saving<Purpose::training_with_checkpoints>);
  py::class_<Packed>(module, "Packed")
      .def_property_readonly("nbytes", &Packed::bytes)
      .def("forward", &Packed::forward)
      .def_property_readonly("step", &direct_method<Packed, &Packed::step>);
  // Made by a function: pybind11 asks for memory after a constructor where nobody catches.
  module.def("pack", [](const py::object& cell, const py::tuple& weights) {
    return Packed(cell, weights);
  });
}

}  // namespace rnnfast
