// The cells: forward, forward that saves and its Tape, prepacked weights, and layers at once.
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <tuple>

#include "base/arena.hpp"
#include "base/threads.hpp"
#include "bindings/arrays.hpp"
#include "bindings/direct_method.hpp"
#include "bindings/plans.hpp"
#include "bindings/register.hpp"
#include "bindings/stacks.hpp"

namespace rnnfast {
namespace {

/// Weights of one cell, packed once.
template <class T>
Arena pack(const CellKernels<T>& kernels, const Dims& dims, const Weights<T>& weights,
           int threads) {
  Arena packed(kernels.packed_bytes(dims));
  kernels.pack(dims, weights, threads, packed.data());
  return packed;
}

template <class T>
Weights<T> weights_of(const py::object& w_ih, const py::object& w_hh, const py::object& b_ih,
                      const py::object& b_hh) {
  return {pointer<const T>(w_ih), pointer<const T>(w_hh), pointer<const T>(b_ih),
          pointer<const T>(b_hh)};
}

template <class T>
ForwardCall<T> forward_call(const Dims& dims, const py::object& x, const py::object& h0,
                            const py::object& c0, const py::object& y, const py::object& h_n,
                            const py::object& c_n, const std::vector<SequenceRow>& rows,
                            const py::object& resets, const Masks<T>& masks = {}) {
  return {dims,
          sequence<const T>(x),
          {pointer<const T>(h0), pointer<const T>(c0)},
          sequence<T>(y),
          {pointer<T>(h_n), pointer<T>(c_n)},
          rows.empty() ? nullptr : rows.data(),
          sequence<const bool>(resets),
          masks};
}

/// From None or the three arrays, any of which may be None.
template <class T>
Masks<T> masks_of(const py::object& masks) {
  if (masks.is_none()) return {};
  const auto arrays = py::reinterpret_borrow<py::tuple>(masks);
  return {pointer<const T>(arrays[0]), sequence<const T>(arrays[1]), sequence<const T>(arrays[2])};
}

/// The plan of a call with masks.
template <class T>
PlanSegment plan_masked(Purpose purpose, const Dims& dims, const CellTraits& traits,
                        const Masks<T>& masks) {
  PlanSegment plan = plan_call(purpose, dims, traits);
  plan.masks_operand = masks.recurrent != nullptr;
  return plan;
}

/// The private rows of sequences that take the steps `spans` (B, 2); none where all take all.
std::vector<SequenceRow> rows_of(const py::object& spans, const PlanSegment& plan) {
  if (spans.is_none()) return {};
  return deal_sequences(pointer<const index>(spans), plan);
}

void forward(const std::string& cell, const py::array& x, const py::array& w_ih,
             const py::array& w_hh, const py::object& b_ih, const py::object& b_hh,
             const py::object& h0, const py::object& c0, const py::object& spans,
             const py::object& resets, const py::object& masks, const py::array& y,
             const py::array& h_n, const py::object& c_n) {
  with_scalar(x.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    const CellKernels<T>& kernels = cell_kernels<T>(cell_number(cell));
    const Dims dims = dims_of(x, w_hh);
    const Weights<T> weights = weights_of<T>(w_ih, w_hh, b_ih, b_hh);
    const Masks<T> noise = masks_of<T>(masks);
    const PlanSegment plan = plan_masked(Purpose::inference, dims, kernels.traits, noise);
    const std::vector<SequenceRow> rows = rows_of(spans, plan);
    const ForwardCall<T> call = forward_call<T>(dims, x, h0, c0, y, h_n, c_n, rows, resets, noise);
    const py::gil_scoped_release release;
    const Arena packed = pack(kernels, dims, weights, plan.threads);
    kernels.forward(call, plan, packed.data());
  });
}

/// What a forward pass keeps for its backward passes: all, or checkpoints if its plan was made for
/// them.
class Tape {
 public:
  Tape(int cell, Purpose purpose, const Dims& dims, const PlanSegment& plan,
       std::vector<SequenceRow> rows, Arena saved)
      : cell_(cell),
        purpose_(purpose),
        dims_(dims),
        plan_(plan),
        rows_(std::move(rows)),
        saved_(std::move(saved)) {}

  std::size_t bytes() const { return saved_.size(); }

  void backward(const py::array& x, const py::array& w_ih, const py::array& w_hh,
                const py::object& b_ih, const py::object& b_hh, const py::object& resets,
                const py::object& masks, index truncate, const py::object& dy,
                const py::object& dh_n, const py::object& dc_n, const py::object& dx,
                const py::object& dw_ih, const py::object& dw_hh, const py::object& db_ih,
                const py::object& db_hh, const py::object& dh0, const py::object& dc0) const {
    with_scalar(x.dtype(), [&](auto scalar) {
      using T = decltype(scalar);
      const BackwardCall<T> call = {
          dims_,
          sequence<const T>(x),
          weights_of<T>(w_ih, w_hh, b_ih, b_hh),
          sequence<const T>(dy),
          {pointer<const T>(dh_n), pointer<const T>(dc_n)},
          {sequence<T>(dx), pointer<T>(dw_ih), pointer<T>(dw_hh), pointer<T>(db_ih),
           pointer<T>(db_hh), pointer<T>(dh0), pointer<T>(dc0)},
          rows_.empty() ? nullptr : rows_.data(),
          sequence<const bool>(resets),
          masks_of<T>(masks),
          truncate};
      const CellKernels<T>& kernels = cell_kernels<T>(cell_);
      const auto backward =
          purpose_ == Purpose::training ? kernels.backward : kernels.backward_from_checkpoints;
      const py::gil_scoped_release release;
      backward(call, plan_, saved_.data());
    });
  }

  void trace(const py::array& gates, const py::object& c) const {
    with_scalar(gates.dtype(), [&](auto scalar) {
      using T = decltype(scalar);
      const TraceCall<T> call = {sequence<T>(gates), sequence<T>(c),
                                 rows_.empty() ? nullptr : rows_.data()};
      const py::gil_scoped_release release;
      cell_kernels<T>(cell_).trace(call, dims_, plan_, saved_.data());
    });
  }

 private:
  int cell_;
  Purpose purpose_;
  Dims dims_;
  PlanSegment plan_;
  std::vector<SequenceRow> rows_;
  Arena saved_;
};

template <Purpose purpose>
std::unique_ptr<Tape> forward_saving(const std::string& cell, const py::array& x,
                                     const py::array& w_ih, const py::array& w_hh,
                                     const py::object& b_ih, const py::object& b_hh,
                                     const py::object& h0, const py::object& c0,
                                     const py::object& spans, const py::object& resets,
                                     const py::object& masks, const py::array& y,
                                     const py::array& h_n, const py::object& c_n) {
  constexpr bool all = purpose == Purpose::training;
  return with_scalar(x.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    const int number = cell_number(cell);
    const CellKernels<T>& kernels = cell_kernels<T>(number);
    const Dims dims = dims_of(x, w_hh);
    const Weights<T> weights = weights_of<T>(w_ih, w_hh, b_ih, b_hh);
    const Masks<T> noise = masks_of<T>(masks);
    const PlanSegment plan = plan_masked(purpose, dims, kernels.traits, noise);
    std::vector<SequenceRow> rows = rows_of(spans, plan);
    const ForwardCall<T> call = forward_call<T>(dims, x, h0, c0, y, h_n, c_n, rows, resets, noise);
    const py::gil_scoped_release release;
    const Arena packed = pack(kernels, dims, weights, plan.threads);
    Arena saved((all ? kernels.saved_bytes : kernels.checkpoint_bytes)(dims, plan));
    (all ? kernels.forward_saving : kernels.forward_saving_checkpoints)(call, plan, packed.data(),
                                                                        saved.data());
    return std::make_unique<Tape>(number, purpose, dims, plan, std::move(rows), std::move(saved));
  });
}

/// Weights packed once, for many calls and single steps.
class Packed {
 public:
  Packed(const std::string& cell, const py::array& w_ih, const py::array& w_hh,
         const py::object& b_ih, const py::object& b_hh)
      : cell_(cell_number(cell)),
        inputs_(w_ih.shape(1)),
        units_(w_hh.shape(1)),
        dtype_(w_ih.dtype()),
        array_type_(py::type::of(w_ih)),
        packed_(with_scalar(dtype_, [&](auto scalar) {
          using T = decltype(scalar);
          const Weights<T> weights = weights_of<T>(w_ih, w_hh, b_ih, b_hh);
          const py::gil_scoped_release release;
          return pack(cell_kernels<T>(cell_), {0, 0, inputs_, units_}, weights, default_threads());
        })) {}

  std::size_t bytes() const { return packed_.size(); }
  char* data() const { return packed_.data(); }

  void forward(const py::array& x, const py::object& h0, const py::object& c0,
               const py::object& spans, const py::object& resets, const py::object& masks,
               const py::array& y, const py::array& h_n, const py::object& c_n) const {
    with_scalar(dtype_, [&](auto scalar) {
      using T = decltype(scalar);
      const CellKernels<T>& kernels = cell_kernels<T>(cell_);
      const Dims dims = {x.shape(0), x.shape(1), inputs_, units_};
      const Masks<T> noise = masks_of<T>(masks);
      const PlanSegment plan = plan_masked(Purpose::inference, dims, kernels.traits, noise);
      const std::vector<SequenceRow> rows = rows_of(spans, plan);
      const ForwardCall<T> call =
          forward_call<T>(dims, x, h0, c0, y, h_n, c_n, rows, resets, noise);
      const py::gil_scoped_release release;
      kernels.forward(call, plan, packed_.data());
    });
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
    if (!fits(x, -1, inputs_)) return not_implemented();
    const CellKernels<T>& kernels = cell_kernels<T>(cell_);
    const Dims dims = {1, py::detail::array_proxy(x.ptr())->dimensions[0], inputs_, units_};
    if (dims.rows == 0) return not_implemented();
    py::handle h0 = Py_None;
    py::handle c0 = Py_None;
    if (!state.is_none()) {
      if (!kernels.has_memory) {
        h0 = state;
      } else if (PyTuple_CheckExact(state.ptr()) && PyTuple_GET_SIZE(state.ptr()) == 2) {
        h0 = PyTuple_GET_ITEM(state.ptr(), 0);
        c0 = PyTuple_GET_ITEM(state.ptr(), 1);
        if (!fits(c0, dims.rows, units_)) return not_implemented();
      } else {
        return not_implemented();
      }
      if (!fits(h0, dims.rows, units_)) return not_implemented();
    }
    py::object h = fresh(dims.rows);
    py::object c = kernels.has_memory ? fresh(dims.rows) : py::none();
    const ForwardCall<T> call = {dims,
                                 {pointer<const T>(x), 0, inputs_},
                                 {pointer<const T>(h0), pointer<const T>(c0)},
                                 {pointer<T>(h), 0, units_},
                                 {nullptr, pointer<T>(c)},
                                 nullptr,
                                 {},
                                 {}};
    const PlanSegment plan = plan_call(Purpose::inference, dims, kernels.traits);
    {
      std::optional<py::gil_scoped_release> release;
      if (takes_long(dims, kernels.traits)) release.emplace();
      kernels.forward(call, plan, packed_.data());
    }
    if (!kernels.has_memory) return h;
    py::tuple both(2);
    PyTuple_SET_ITEM(both.ptr(), 0, h.release().ptr());
    PyTuple_SET_ITEM(both.ptr(), 1, c.release().ptr());
    return both;
  }

  /// Some ten microseconds; for less it is not worth letting other Python threads run.
  static bool takes_long(const Dims& dims, const CellTraits& cell) {
    constexpr index products = 500000;
    return dims.rows * dims.units * cell.gates > products / (dims.inputs + dims.units);
  }

  /// An array (rows, H). py::array would put its shape and strides on the heap.
  py::object fresh(index rows) const {
    const auto& numpy = py::detail::npy_api::get();
    const Py_intptr_t shape[2] = {rows, units_};
    auto array = py::reinterpret_steal<py::object>(
        numpy.PyArray_NewFromDescr_(numpy.PyArray_Type_, py::dtype(dtype_).release().ptr(), 2,
                                    shape, nullptr, nullptr, 0, nullptr));
    if (!array) throw py::error_already_set();
    return array;
  }

  int cell_;
  index inputs_;
  index units_;
  py::dtype dtype_;
  py::object array_type_;
  Arena packed_;
};

/// How layers run at once: threads, and the steps of a chunk. None if they run one by one.
py::object plan_layers(const std::string& cell, const py::array& x, index units, index layers,
                       index directions, bool training) {
  const Purpose purpose = training ? Purpose::training : Purpose::inference;
  const StackDims stack = {{x.shape(0), x.shape(1), x.shape(2), units}, layers, directions};
  return with_scalar(x.dtype(), [&](auto scalar) -> py::object {
    const CellTraits& traits = cell_kernels<decltype(scalar)>(cell_number(cell)).traits;
    const StackPlan plan = plan_stack_call(purpose, stack, traits);
    if (!plan.pipelines) return py::none();
    return py::make_tuple(plan.threads, plan.chunk_steps);
  });
}

/// Of each layer and direction x, its weights (packed or not), h0, c0, spans, resets, y, h_n, c_n.
template <class T>
Stack<T> stack_of(const CellKernels<T>& kernels, Purpose purpose, const StackPlan& plan,
                  index directions, const py::list& parts) {
  const auto at = [](const py::handle& part, int i) {
    return py::reinterpret_borrow<py::object>(PyTuple_GET_ITEM(part.ptr(), i));
  };
  const auto layers = static_cast<index>(parts.size()) / directions;
  const py::array x = at(parts[0], 0);
  const py::array y = at(parts[0], 6);
  const StackDims sizes = {{x.shape(0), x.shape(1), x.shape(2), y.shape(2)}, layers, directions};
  const std::vector<PlanSegment> plans = plan_parts(purpose, sizes, plan, kernels.traits);
  Stack<T> stack;
  for (const py::handle& part : parts) {
    const index layer = static_cast<index>(stack.parts.size()) / directions;
    const PlanSegment& own = plans[static_cast<std::size_t>(layer)];
    stack.rows.push_back(rows_of(at(part, 4), own));
    StackPart<T> made = {
        forward_call<T>(sizes.of(layer), at(part, 0), at(part, 2), at(part, 3), at(part, 6),
                        at(part, 7), at(part, 8), stack.rows.back(), at(part, 5)),
        own,
        {},
        nullptr,
        nullptr,
        nullptr};
    const py::object weights = at(part, 1);
    if (PyTuple_Check(weights.ptr())) {
      made.weights = weights_of<T>(at(weights, 0), at(weights, 1), at(weights, 2), at(weights, 3));
    } else {
      made.packed = weights.cast<const Packed&>().data();
    }
    stack.parts.push_back(made);
  }
  return stack;
}

void forward_layers(const std::string& cell, const std::tuple<int, index>& plan, index directions,
                    const py::list& parts) {
  const py::array x = py::tuple(parts[0])[0];
  with_scalar(x.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    const CellKernels<T>& kernels = cell_kernels<T>(cell_number(cell));
    const StackPlan chosen = {true, std::get<0>(plan), std::get<1>(plan)};
    Stack<T> stack = stack_of(kernels, Purpose::inference, chosen, directions, parts);
    const py::gil_scoped_release release;
    run_parts(kernels, stack.parts, chosen, directions, kernels.stack_work, kernels.stack);
  });
}

std::vector<std::unique_ptr<Tape>> forward_layers_saving(const std::string& cell,
                                                         const std::tuple<int, index>& plan,
                                                         index directions, const py::list& parts) {
  const py::array x = py::tuple(parts[0])[0];
  return with_scalar(x.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    const int number = cell_number(cell);
    const CellKernels<T>& kernels = cell_kernels<T>(number);
    const StackPlan chosen = {true, std::get<0>(plan), std::get<1>(plan)};
    Stack<T> stack = stack_of(kernels, Purpose::training, chosen, directions, parts);
    const py::gil_scoped_release release;
    std::vector<Arena> saved;
    for (StackPart<T>& part : stack.parts) {
      saved.emplace_back(kernels.saved_bytes(part.call.dims, part.plan));
      part.saved = saved.back().data();
    }
    run_parts(kernels, stack.parts, chosen, directions, kernels.stack_work_saving,
              kernels.stack_saving);
    std::vector<std::unique_ptr<Tape>> tapes;
    for (std::size_t i = 0; i < stack.parts.size(); ++i) {
      const StackPart<T>& part = stack.parts[i];
      tapes.push_back(std::make_unique<Tape>(number, Purpose::training, part.call.dims, part.plan,
                                             std::move(stack.rows[i]), std::move(saved[i])));
    }
    return tapes;
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
  module.def("plan_layers", &plan_layers);
  module.def("forward_layers", &forward_layers);
  module.def("forward_layers_saving", &forward_layers_saving);
  py::class_<Packed>(module, "Packed")
      .def(py::init<const std::string&, const py::array&, const py::array&, const py::object&,
                    const py::object&>())
      .def_property_readonly("nbytes", &Packed::bytes)
      .def("forward", &Packed::forward)
      .def_property_readonly("step", &direct_method<Packed, &Packed::step>);
}

}  // namespace rnnfast
