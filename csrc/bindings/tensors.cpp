// One layer in one direction without options, from a framework's tensors to its tensors: where a
// microsecond matters. What does not fit is NotImplemented, and Python goes the longer way.
#include "bindings/tensors.hpp"

#include "bindings/packed.hpp"
#include "bindings/register.hpp"
#include "bindings/sources.hpp"
#include "bindings/tape.hpp"

namespace rnnfast {
namespace {

py::object not_implemented() { return py::reinterpret_borrow<py::object>(Py_NotImplemented); }

/// A tuple that takes over its items.
template <class... Items>
py::object tuple_of(Items&&... items) {
  py::tuple all(sizeof...(items));
  Py_ssize_t i = 0;
  (PyTuple_SET_ITEM(all.ptr(), i++, items.release().ptr()), ...);
  return all;
}

/// Reads sequences (T, B, width), or one step of them (B, width), of any strides but the last.
template <class T>
bool read_sequence(const Exchange& exchange, py::handle object, TensorView& view) {
  return exchange.look(object, view) && is_of<T>(view) && has_dense_rows(view);
}

template <class T>
Sequence<const T> sequence_of(const TensorView& view) {
  return {pointer<const T>(view), view.strides[0], view.strides[1]};
}

/// Reads a dense tensor of a shape; null for None.
template <class T>
bool read(const Exchange& exchange, py::handle object, std::initializer_list<index> shape,
          const T*& data) {
  data = nullptr;
  if (object.is_none()) return true;
  TensorView view;
  if (!exchange.look(object, view) || !is_of<T>(view)) return false;
  if (!has_shape(view, shape) || !is_dense(view)) return false;
  data = pointer<const T>(view);
  return true;
}

/// The weights of a plain cell of `rows` rows in all; false where they do not fit.
template <class T>
bool read_weights(const Exchange& exchange, const py::tuple& given, const Dims& dims, index rows,
                  WeightSet<const T>& weights) {
  return read(exchange, given[0], {rows, dims.inputs}, weights[WeightId::w_ih]) &&
         read(exchange, given[1], {rows, dims.units}, weights[WeightId::w_hh]) &&
         read(exchange, given[2], {rows}, weights[WeightId::b_ih]) &&
         read(exchange, given[3], {rows}, weights[WeightId::b_hh]) && weights[WeightId::w_ih] &&
         weights[WeightId::w_hh];
}

/// y (T, B, R), h_n (1, B, R) and, where there is one, c_n (1, B, H).
template <class T>
py::object forward_as(const Exchange& exchange, const Packed& packed, py::handle x, py::handle h0,
                      py::handle c0) {
  TensorView view;
  Dims dims = packed.dims();
  if (!read_sequence<T>(exchange, x, view) || view.dims != 3) return not_implemented();
  dims.steps = view.shape[0];
  dims.rows = view.shape[1];
  if (view.shape[2] != dims.inputs || dims.steps * dims.rows == 0) return not_implemented();
  const index outputs = outputs_of(dims);
  States<const T> initial;
  if (!read(exchange, h0, {1, dims.rows, outputs}, initial.h) ||
      !read(exchange, c0, {1, dims.rows, dims.units}, initial.c)) {
    return not_implemented();
  }
  auto [y, y_data] = exchange.make<T>({dims.steps, dims.rows, outputs});
  auto [h, h_data] = exchange.make<T>({1, dims.rows, outputs});
  const Sequence<T> to = {y_data, dims.rows * outputs, outputs};
  if (!packed.kernels<T>().traits.has_memory) {
    packed.run<T>(dims, sequence_of<T>(view), initial, to, {h_data, nullptr});
    return tuple_of(y, h);
  }
  auto [c, c_data] = exchange.make<T>({1, dims.rows, dims.units});
  packed.run<T>(dims, sequence_of<T>(view), initial, to, {h_data, c_data});
  return tuple_of(y, h, c);
}

/// h (B, R) after one step or, where there is a memory, a tuple of h and c (B, H).
template <class T>
py::object step_as(const Exchange& exchange, const Packed& packed, py::handle x, py::handle h0,
                   py::handle c0) {
  TensorView view;
  Dims dims = packed.dims();
  if (!read_sequence<T>(exchange, x, view) || view.dims != 2) return not_implemented();
  dims.steps = 1;
  dims.rows = view.shape[0];
  if (view.shape[1] != dims.inputs || dims.rows == 0) return not_implemented();
  const index outputs = outputs_of(dims);
  States<const T> initial;
  if (!read(exchange, h0, {dims.rows, outputs}, initial.h) ||
      !read(exchange, c0, {dims.rows, dims.units}, initial.c)) {
    return not_implemented();
  }
  const Sequence<const T> from = {pointer<const T>(view), 0, view.strides[0]};
  auto [h, h_data] = exchange.make<T>({dims.rows, outputs});
  const Sequence<T> to = {h_data, 0, outputs};
  if (!packed.kernels<T>().traits.has_memory) {
    packed.run<T>(dims, from, initial, to, {});
    return h;
  }
  auto [c, c_data] = exchange.make<T>({dims.rows, dims.units});
  packed.run<T>(dims, from, initial, to, {nullptr, c_data});
  return tuple_of(h, c);
}

/// As `forward_as` on weights that are not packed, and a tape as the last item.
template <class T>
py::object forward_saving_as(const Exchange& exchange, const CellChoice& cell,
                             const TensorView& view, const py::tuple& given, index units,
                             py::handle h0, py::handle c0) {
  const CellKernels<T>& kernels = cell.kernels<T>();
  const Dims dims = {view.shape[0], view.shape[1], view.shape[2], units};
  WeightSet<const T> weights;
  States<const T> initial;
  if (!read_weights(exchange, given, dims, kernels.traits.gates * units, weights) ||
      !read(exchange, h0, {1, dims.rows, units}, initial.h) ||
      !read(exchange, c0, {1, dims.rows, units}, initial.c)) {
    return not_implemented();
  }
  auto [y, y_data] = exchange.make<T>({dims.steps, dims.rows, units});
  auto [h, h_data] = exchange.make<T>({1, dims.rows, units});
  py::object c = py::none();
  T* c_data = nullptr;
  if (kernels.traits.has_memory) std::tie(c, c_data) = exchange.make<T>({1, dims.rows, units});
  Tape tape = [&, y_to = y_data, h_to = h_data] {
    const PlanSegment plan = plan_call(Purpose::training, dims, kernels.traits);
    const ForwardCall<T> call = {dims,
                                 sequence_of<T>(view),
                                 initial,
                                 {y_to, dims.rows * units, units},
                                 {h_to, c_data},
                                 nullptr,
                                 {},
                                 {},
                                 cell.activations()};
    return without_gil([&] {
      const Arena packed = pack(kernels, dims, weights, plan.threads);
      Arena saved(kernels.saved_bytes(dims, plan));
      kernels.forward_saving(call, plan, packed.data(), saved.data());
      return Tape(cell, scalar_of<T>(), Purpose::training, dims, plan, {}, std::move(saved));
    });
  }();
  py::object remembered = py::cast(std::move(tape));
  return c.is_none() ? tuple_of(y, h, remembered) : tuple_of(y, h, c, remembered);
}

py::object forward_saving(const Exchange& exchange, const py::object& cell, py::handle x,
                          const py::tuple& weights, py::handle h0, py::handle c0) {
  TensorView view;
  TensorView recurrent;
  if (!exchange.look(x, view) || view.dims != 3 || !has_dense_rows(view)) return not_implemented();
  if (view.shape[0] * view.shape[1] * view.shape[2] == 0) return not_implemented();
  if (!exchange.look(weights[1], recurrent) || recurrent.dims != 2) return not_implemented();
  const index units = recurrent.shape[1];
  const CellChoice choice(cell);
  if (is_of<float>(view)) {
    return forward_saving_as<float>(exchange, choice, view, weights, units, h0, c0);
  }
  if (is_of<double>(view)) {
    return forward_saving_as<double>(exchange, choice, view, weights, units, h0, c0);
  }
  return not_implemented();
}

/// What arrives from above, of a shape, dense; null for None. `kept` holds what had to be copied.
template <class T>
const T* upstream(const Exchange& exchange, py::handle object, std::initializer_list<index> shape,
                  py::object& kept) {
  if (object.is_none()) return nullptr;
  kept = object.attr("resolve_neg")().attr("contiguous")();
  TensorView view;
  if (!exchange.look(kept, view) || !is_of<T>(view) || !has_shape(view, shape)) {
    throw std::invalid_argument("a gradient does not fit the result it is of");
  }
  return pointer<const T>(view);
}

template <class T>
struct Wanted {
  const Exchange& exchange;
  const py::tuple& wanted;
  py::tuple found;

  /// A gradient to be filled in; null where it is not wanted.
  T* make(std::size_t i, std::initializer_list<index> shape) {
    found[i] = py::none();
    if (!wanted[i].cast<bool>()) return nullptr;
    auto [tensor, data] = exchange.make<T>(shape);
    found[i] = std::move(tensor);
    return data;
  }
};

template <class T>
py::object backward_as(const Exchange& exchange, const Tape& tape, const TensorView& view,
                       const py::tuple& given, const py::tuple& above, const py::tuple& wanted) {
  const Dims& dims = tape.dims();
  const index rows = tape.kernels<T>().traits.gates * dims.units;
  WeightSet<const T> weights;
  if (!has_shape(view, {dims.steps, dims.rows, dims.inputs}) || !has_dense_rows(view) ||
      !read_weights(exchange, given, dims, rows, weights)) {
    throw std::invalid_argument("a tensor of the forward pass has changed its shape or type");
  }
  py::object kept[3];
  const T* const dy = upstream<T>(exchange, above[0], {dims.steps, dims.rows, dims.units}, kept[0]);
  const T* const dh = upstream<T>(exchange, above[1], {1, dims.rows, dims.units}, kept[1]);
  const T* const dc = upstream<T>(exchange, above[2], {1, dims.rows, dims.units}, kept[2]);
  Wanted<T> want = {exchange, wanted, py::tuple(7)};
  Gradients<T> out;
  out.x = {want.make(0, {dims.steps, dims.rows, dims.inputs}), dims.rows * dims.inputs,
           dims.inputs};
  out.initial.h = want.make(1, {1, dims.rows, dims.units});
  out.initial.c = want.make(2, {1, dims.rows, dims.units});
  out.weights[WeightId::w_ih] = want.make(3, {rows, dims.inputs});
  out.weights[WeightId::w_hh] = want.make(4, {rows, dims.units});
  out.weights[WeightId::b_ih] = want.make(5, {rows});
  out.weights[WeightId::b_hh] = want.make(6, {rows});
  tape.run<T>(sequence_of<T>(view), weights, {dy, dims.rows * dims.units, dims.units}, {dh, dc},
              out);
  return std::move(want.found);
}

py::object backward(const Exchange& exchange, const Tape& tape, py::handle x,
                    const py::tuple& weights, const py::tuple& above, const py::tuple& wanted) {
  TensorView view;
  if (exchange.look(x, view) && view.dims == 3) {
    if (is_of<float>(view)) return backward_as<float>(exchange, tape, view, weights, above, wanted);
    if (is_of<double>(view)) {
      return backward_as<double>(exchange, tape, view, weights, above, wanted);
    }
  }
  throw std::invalid_argument("the sequences of the forward pass have changed");
}

}  // namespace

void register_tensors(py::module_& module) {
  py::class_<Versions>(module, "Versions").def("hold", &Versions::hold);
  py::class_<Contents>(module, "Contents").def("hold", &Contents::hold);
  py::class_<Exchange>(module, "Exchange")
      .def(py::init<const py::object&, const py::object&>())
      .def(
          "versions",
          [](const Exchange& exchange, const py::tuple& tensors) {
            return Versions(exchange, tensors);
          },
          py::keep_alive<0, 1>())
      .def(
          "contents",
          [](const Exchange& exchange, const py::tuple& tensors) {
            return Contents(exchange, tensors);
          },
          py::keep_alive<0, 1>())
      .def("forward",
           [](const Exchange& exchange, const Packed& packed, py::handle x, py::handle h0,
              py::handle c0) {
             return packed.with_weights([&](auto scalar) {
               return forward_as<decltype(scalar)>(exchange, packed, x, h0, c0);
             });
           })
      .def("step",
           [](const Exchange& exchange, const Packed& packed, py::handle x, py::handle h0,
              py::handle c0) {
             return packed.with_weights([&](auto scalar) {
               return step_as<decltype(scalar)>(exchange, packed, x, h0, c0);
             });
           })
      .def("forward_saving", &forward_saving)
      .def("backward", &backward);
}

}  // namespace rnnfast
