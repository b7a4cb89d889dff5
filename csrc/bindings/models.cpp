// Models that are served, of which sessions and pools are made.
#include "bindings/arguments.hpp"
#include "bindings/register.hpp"
#include "bindings/served.hpp"

namespace rnnfast {
namespace {

struct ServedModel {
  SharedModel of;
};

/// From (cell, weights, scales of quantized ones, how much of h and of c is kept) of each layer,
/// kept in a precision.
ServedModel serve(const py::list& layers, const py::object& precision) {
  std::vector<ServedLayer> packed;
  for (const py::handle& layer : layers) {
    const auto of = py::reinterpret_borrow<py::tuple>(layer);
    const Weights weights = weights_of(of[0], py::tuple(of[1]), py::tuple(of[2]));
    const StorageType storage = precision_of(precision, weights.scalar).storage;
    packed.emplace_back(without_gil([&] { return cpu_backend().pack(weights, storage); }),
                        Kept{of[3].cast<double>(), of[4].cast<double>()});
  }
  return {std::make_shared<const Model>(std::move(packed))};
}

ServedSession open_session(const ServedModel& model) {
  return ServedSession(Session(model.of), "session");
}
ServedPool open_pool(const ServedModel& model, index capacity) {
  return ServedPool(Pool(model.of, capacity), "pool");
}

}  // namespace

void register_models(py::module_& module) {
  py::class_<ServedModel>(module, "Model")
      .def_property_readonly("nbytes", [](const ServedModel& model) { return model.of->bytes(); })
      .def("require_state",
           [](const ServedModel& model, index layer, const py::array& h) {
             model.of->layer(layer).require_state(h.data());
           })
      .def("session", &open_session)
      .def("pool", &open_pool);
  module.def("serve", &serve);
}

}  // namespace rnnfast
