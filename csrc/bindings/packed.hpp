// A cell whose weights are packed, as Python holds it: whole sequences, and single steps.
#pragma once

#include "bindings/calls.hpp"

namespace rnnfast {

/// Weights packed once, for many calls and single steps.
class Packed {
 public:
  Packed(const py::object& cell, const py::tuple& given)
      : cell_(cell),
        dims_(dims_of(given)),
        dtype_(py::array(weight(given, 0)).dtype()),
        array_type_(py::type::of(weight(given, 0))),
        packed_(with_scalar(dtype_, [&](auto scalar) {
          using T = decltype(scalar);
          const WeightSet<const T> weights = weights_of<const T>(given);
          return without_gil(
              [&] { return pack(cell_.kernels<T>(), dims_, weights, threads_now()); });
        })) {}

  std::size_t bytes() const { return packed_.size(); }
  char* data() const { return packed_.data(); }
  /// Sizes without steps and rows.
  const Dims& dims() const { return dims_; }

  void forward(const py::array& x, const py::object& h0, const py::object& c0,
               const py::object& spans, const py::object& resets, const py::object& masks,
               const py::array& y, const py::array& h_n, const py::object& c_n) const {
    with_scalar(dtype_, [&](auto scalar) {
      using T = decltype(scalar);
      const CellKernels<T>& kernels = cell_.kernels<T>();
      const Dims dims = dims_of(x, dims_);
      const Masks<T> noise = masks_of<T>(masks);
      const PlanSegment plan = plan_masked(Purpose::inference, dims, kernels.traits, noise);
      const std::vector<SequenceRow> rows = rows_of(spans, plan);
      const ForwardCall<T> call =
          forward_call<T>(dims, x, h0, c0, y, h_n, c_n, rows, resets, cell_, noise);
      without_gil([&] { kernels.forward(call, plan, packed_.data()); });
    });
  }

  /// Calls body(T{}) with the scalar type of the weights.
  template <class Body>
  auto with_weights(Body&& body) const {
    return with_scalar(dtype_, std::forward<Body>(body));
  }

  template <class T>
  const CellKernels<T>& kernels() const {
    return cell_.kernels<T>();
  }

  /// Whole batches, without options: `x`, states and results as the kernel wants them.
  template <class T>
  void run(const Dims& dims, Sequence<const T> x, States<const T> initial, Sequence<T> y,
           States<T> last) const {
    const ForwardCall<T> call = {dims, x, initial, y, last, nullptr, {}, {}, cell_.activations()};
    const CellKernels<T>& kernels = cell_.kernels<T>();
    const PlanSegment plan = plan_call(Purpose::inference, dims, kernels.traits);
    const auto forward = [&] { kernels.forward(call, plan, packed_.data()); };
    takes_long(dims, kernels.traits) ? without_gil(forward) : forward();
  }

  /// One step, if every argument already is as the kernel wants it; else NotImplemented, and Python
  /// looks at them one by one. A microsecond matters here.
  py::object step(py::handle x, py::handle state) const {
    return with_scalar(dtype_, [&](auto scalar) { return step_as<decltype(scalar)>(x, state); });
  }

 private:
  /// A C-contiguous, aligned (rows, columns) array of this cell's scalar type, of exactly NumPy's
  /// type; rows < 0 takes any.
  bool fits(const py::handle& object, index rows, index columns) const {
    constexpr int wanted =
        py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    if (reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())) != array_type_.ptr()) return false;
    const auto& proxy = *py::detail::array_proxy(object.ptr());
    return proxy.nd == 2 && proxy.descr == dtype_.ptr() && (proxy.flags & wanted) == wanted &&
           (rows < 0 || proxy.dimensions[0] == rows) && proxy.dimensions[1] == columns;
  }

  template <class T>
  py::object step_as(py::handle x, py::handle state) const {
    const auto not_implemented = [] {
      return py::reinterpret_borrow<py::object>(Py_NotImplemented);
    };
    if (!fits(x, -1, dims_.inputs)) return not_implemented();
    const CellKernels<T>& kernels = cell_.kernels<T>();
    Dims dims = dims_;
    dims.steps = 1;
    dims.rows = py::detail::array_proxy(x.ptr())->dimensions[0];
    const index outputs = outputs_of(dims);
    if (dims.rows == 0) return not_implemented();
    py::handle h0 = Py_None;
    py::handle c0 = Py_None;
    if (!state.is_none()) {
      if (!kernels.traits.has_memory) {
        h0 = state;
      } else if (PyTuple_CheckExact(state.ptr()) && PyTuple_GET_SIZE(state.ptr()) == 2) {
        h0 = PyTuple_GET_ITEM(state.ptr(), 0);
        c0 = PyTuple_GET_ITEM(state.ptr(), 1);
        if (!fits(c0, dims.rows, dims.units)) return not_implemented();
      } else {
        return not_implemented();
      }
      if (!fits(h0, dims.rows, outputs)) return not_implemented();
    }
    py::object h = fresh(dims.rows, outputs);
    py::object c = kernels.traits.has_memory ? fresh(dims.rows, dims.units) : py::none();
    run<T>(dims, {pointer<const T>(x), 0, dims.inputs},
           {pointer<const T>(h0), pointer<const T>(c0)}, {pointer<T>(h), 0, outputs},
           {nullptr, pointer<T>(c)});
    if (!kernels.traits.has_memory) return h;
    py::tuple both(2);
    PyTuple_SET_ITEM(both.ptr(), 0, h.release().ptr());
    PyTuple_SET_ITEM(both.ptr(), 1, c.release().ptr());
    return both;
  }

  /// Some ten microseconds; for less it is not worth letting other Python threads run.
  static bool takes_long(const Dims& dims, const CellTraits& cell) {
    constexpr index products = 500000;
    const index products_a_unit = dims.inputs + outputs_of(dims);
    return dims.steps * dims.rows * dims.units * cell.gates > products / products_a_unit;
  }

  /// An array (rows, columns). py::array would put its shape and strides on the heap.
  py::object fresh(index rows, index columns) const {
    const auto& numpy = py::detail::npy_api::get();
    const Py_intptr_t shape[2] = {rows, columns};
    auto array = py::reinterpret_steal<py::object>(
        numpy.PyArray_NewFromDescr_(numpy.PyArray_Type_, py::dtype(dtype_).release().ptr(), 2,
                                    shape, nullptr, nullptr, 0, nullptr));
    if (!array) throw py::error_already_set();
    return array;
  }

  CellChoice cell_;
  Dims dims_;
  py::dtype dtype_;
  py::object array_type_;
  Arena packed_;
};

}  // namespace rnnfast
