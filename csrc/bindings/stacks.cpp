// Several layers at once: how they would run, and the calls of all of them.
#include <pybind11/stl.h>

#include <optional>
#include <tuple>
#include <vector>

#include "bindings/arguments.hpp"
#include "bindings/gil.hpp"
#include "bindings/register.hpp"

namespace rnnfast {
namespace {

/// Threads, and the steps of a chunk.
using AtOnce = std::tuple<int, index>;

/// Weights as Python has them, or packed.
struct Given {
  Dims dims;
  WeightSet<const void> arrays;
  const Packed* packed = nullptr;

  Precision precision(const py::array& x) const {
    return packed ? packed->header().precision() : Precision(scalar_of(x.dtype()));
  }

  explicit Given(const py::object& weights) {
    if (PyTuple_Check(weights.ptr())) {
      dims = dims_of(py::tuple(weights));
      arrays = weight_set<const void>(py::tuple(weights));
    } else {
      packed = &weights.cast<const Packed&>();
      dims = packed->header().dims;
    }
  }
};

/// How layers, the first with these weights, run at once; none if they run one by one.
std::optional<AtOnce> plan_layers(const py::object& cell, const py::array& x,
                                  const py::object& weights, index layers, index directions,
                                  bool training) {
  const Purpose purpose = training ? Purpose::training : Purpose::inference;
  const Given first(weights);
  const StackDims dims = {dims_of(x, first.dims), layers, directions};
  const StackPlan plan =
      cpu_backend().plan_layers(purpose, cell_spec(cell), first.precision(x), dims);
  if (!plan.pipelines) return std::nullopt;
  return AtOnce{plan.threads, plan.chunk_steps};
}

/// Of each layer and direction x, its weights (packed or not), h0, c0, spans, resets, y, h_n, c_n.
LayersCall layers_call(const py::object& cell, Purpose purpose, const AtOnce& plan,
                       index directions, const py::list& parts) {
  const auto at = [](const py::handle& part, int i) {
    return py::reinterpret_borrow<py::object>(PyTuple_GET_ITEM(part.ptr(), i));
  };
  const py::array x = at(parts[0], 0);
  const Given first(at(parts[0], 1));
  const StackDims dims = {dims_of(x, first.dims), static_cast<index>(parts.size()) / directions,
                          directions};
  LayersCall call = {cell_spec(cell),
                     first.precision(x),
                     directions,
                     {true, std::get<0>(plan), std::get<1>(plan)},
                     {}};
  const std::vector<CallPlan> plans =
      cpu_backend().plan_each(purpose, call.cell, call.precision, dims, call.plan);
  for (const py::handle& part : parts) {
    const index layer = static_cast<index>(call.layers.size()) / directions;
    const Given weights(at(part, 1));
    const ForwardArrays arrays = {at(part, 0), at(part, 2), at(part, 3), at(part, 4), at(part, 5),
                                  Py_None,     at(part, 6), at(part, 7), at(part, 8)};
    call.layers.push_back({call_of(arrays, dims.of(layer), call.precision.scalar),
                           plans[static_cast<std::size_t>(layer)], weights.arrays, weights.packed});
  }
  return call;
}

void forward_layers(const py::object& cell, const AtOnce& plan, index directions,
                    const py::list& parts) {
  const LayersCall call = layers_call(cell, Purpose::inference, plan, directions, parts);
  without_gil([&] { cpu_backend().forward_layers(call); });
}

std::vector<Tape> forward_layers_saving(const py::object& cell, const AtOnce& plan,
                                        index directions, const py::list& parts) {
  const LayersCall call = layers_call(cell, Purpose::training, plan, directions, parts);
  return without_gil([&] { return cpu_backend().forward_layers_saving(call); });
}

}  // namespace

void register_stacks(py::module_& module) {
  module.def("plan_layers", &plan_layers);
  module.def("forward_layers", &forward_layers);
  module.def("forward_layers_saving", &forward_layers_saving);
}

}  // namespace rnnfast
