// Calls on a stream of a device, as `_core` has them for the processor. Arrays of the device come
// as their geometry (capsules.cpp), so that they are read as NumPy's are; `spans` are the host's.
#include <pybind11/stl.h>

#include <array>

#include "api/device_backend.hpp"
#include "bindings/arguments.hpp"
#include "bindings/cuda/register.hpp"
#include "bindings/lock.hpp"

namespace rnnfast {
namespace {

using Object = const py::object&;

class Memory {
 public:
  Memory(std::shared_ptr<char> held, std::size_t bytes) : held_(std::move(held)), bytes_(bytes) {}
  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(held_.get()); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<char> held_;
  std::size_t bytes_;
};

/// body() without Python's lock, and alone on the stream.
template <class Body>
decltype(auto) launched(DeviceStream& stream, Body&& body) {
  struct Released {
    PyThreadState* const state = release_gil();
    ~Released() { take_gil(state); }
  };
  const Released released;
  const DeviceStream::Turn turn(stream);
  return body();
}

DeviceView view_of(const py::array& geometry) {
  DeviceView view = {const_cast<void*>(geometry.data()), {}, {}};
  const auto bytes = static_cast<index>(geometry.itemsize());
  const auto absent = DeviceView::axes - static_cast<int>(geometry.ndim());
  if (absent < 0) throw std::invalid_argument("an array of more than four axes");
  for (int axis = 0; axis < DeviceView::axes; ++axis) {
    view.sizes[axis] = axis < absent ? 1 : geometry.shape(axis - absent);
    view.strides[axis] = axis < absent ? 0 : geometry.strides(axis - absent) / bytes;
  }
  return view;
}

class Queue {
 public:
  Queue(int device, std::uintptr_t stream)
      : stream_(device_stream(device, stream)), backend_(stream_) {}

  Memory empty(std::size_t bytes) const {
    return launched(stream_, [&] { return Memory(stream_.take(bytes), bytes); });
  }
  void copy_in(const py::array& from, const py::array& to) const {
    const py::array dense = py::array::ensure(from, py::array::c_style);
    const auto bytes = static_cast<std::size_t>(dense.nbytes());
    const void* const numbers = dense.data();
    void* const there = const_cast<void*>(to.data());
    launched(stream_, [&] { stream_.copy_in(numbers, bytes, there); });
  }
  void fill(const py::array& to, double value) const {
    const ScalarType scalar = scalar_of(to.dtype());
    const DeviceView view = view_of(to);
    launched(stream_, [&] { stream_.fill(scalar, value, view); });
  }
  void copy(const py::array& from, const py::array& to) const {
    const ScalarType scalar = scalar_of(to.dtype());
    const DeviceView views[] = {view_of(from), view_of(to)};
    launched(stream_, [&] { stream_.copy(scalar, views[0], views[1]); });
  }
  void add(const py::array& a, const py::array& b, const py::array& to) const {
    const ScalarType scalar = scalar_of(to.dtype());
    const DeviceView views[] = {view_of(a), view_of(b), view_of(to)};
    launched(stream_, [&] { stream_.add(scalar, views[0], views[1], views[2]); });
  }
  void multiply(const py::array& a, const py::array& b, const py::array& to) const {
    const ScalarType scalar = scalar_of(to.dtype());
    const DeviceView views[] = {view_of(a), view_of(b), view_of(to)};
    launched(stream_, [&] { stream_.multiply(scalar, views[0], views[1], views[2]); });
  }
  void wait_for(std::uintptr_t other) const {
    launched(stream_, [&] { stream_.wait_for(other); });
  }
  void hold_up(std::uintptr_t other) const {
    launched(stream_, [&] { stream_.hold_up(other); });
  }
  void wait() const {
    launched(stream_, [&] { stream_.wait(); });
  }

  Packed pack(Object cell, const py::tuple& given) const {
    const Weights weights = weights_of(cell, given);
    return launched(stream_, [&] { return backend_.pack(weights); });
  }

  void forward(Object cell, const py::array& x, const py::tuple& given, Object h0, Object c0,
               Object spans, Object resets, Object masks, const py::array& y, const py::array& h_n,
               Object c_n) const {
    const Weights weights = weights_of(cell, given);
    const Call call = call_of({x, h0, c0, spans, resets, masks, y, h_n, c_n},
                              dims_of(x, weights.dims), weights.scalar);
    const CallPlan plan =
        backend_.plan(Purpose::inference, weights.cell, weights.scalar, call.sizes());
    launched(stream_, [&] { backend_.forward(weights, call, plan); });
  }

  void forward_packed(const Packed& packed, const py::array& x, Object h0, Object c0, Object spans,
                      Object resets, Object masks, const py::array& y, const py::array& h_n,
                      Object c_n) const {
    const Header& made = packed.header();
    const Call call =
        call_of({x, h0, c0, spans, resets, masks, y, h_n, c_n}, dims_of(x, made.dims), made.scalar);
    const CallPlan plan = backend_.plan(Purpose::inference, made.cell, made.scalar, call.sizes());
    launched(stream_, [&] { backend_.forward(packed, call, plan); });
  }

  /// Of a call of T, B, I, H and R, which is 0 where h is not projected.
  template <Purpose purpose>
  std::size_t tape_bytes(Object cell, const py::dtype& dtype, const std::array<index, 5>& sizes,
                         bool masks_h) const {
    const CellSpec of = cell_spec(cell);
    const ScalarType scalar = scalar_of(dtype);
    const auto& [steps, rows, inputs, units, projection] = sizes;
    const CallSizes call = {{steps, rows, inputs, units, projection}, masks_h};
    return backend_.tape_bytes(of, scalar, backend_.plan(purpose, of, scalar, call));
  }

  /// The tape lies in `memory`, bytes of the device that the caller keeps as long.
  template <Purpose purpose>
  Tape forward_saving(const py::array& memory, Object cell, const py::array& x,
                      const py::tuple& given, Object h0, Object c0, Object spans, Object resets,
                      Object masks, const py::array& y, const py::array& h_n, Object c_n) const {
    const Weights weights = weights_of(cell, given);
    const Call call = call_of({x, h0, c0, spans, resets, masks, y, h_n, c_n},
                              dims_of(x, weights.dims), weights.scalar);
    const CallPlan plan = backend_.plan(purpose, weights.cell, weights.scalar, call.sizes());
    TapeMemory there = tape_memory(memory);
    return launched(stream_,
                    [&] { return backend_.forward_saving(weights, call, plan, std::move(there)); });
  }

  /// The tape of a forward pass that has left it in `memory`, for a backward pass of the same call.
  template <Purpose purpose>
  Tape tape(const py::array& memory, Object cell, const py::array& x, const py::tuple& given,
            Object spans, Object masks) const {
    const Weights weights = weights_of(cell, given);
    Call call = {};
    call.dims = dims_of(x, weights.dims);
    call.spans = pointer<const index>(spans);
    call.masks = masks_of(masks, size_of(weights.scalar));
    const CallPlan plan = backend_.plan(purpose, weights.cell, weights.scalar, call.sizes());
    return backend_.tape(weights, call, plan, tape_memory(memory));
  }

  void backward(const Tape& tape, const py::array& x, const py::tuple& weights, Object resets,
                Object masks, index truncate, Object dy, Object dh_n, Object dc_n, Object dx,
                const py::tuple& gradients, Object dh0, Object dc0) const {
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
                            false}};
    launched(stream_, [&] { backend_.backward(tape, call); });
  }

  void trace(const Tape& tape, const py::tuple& weights, const py::array& gates, Object c) const {
    const index bytes = size_of(tape.header().scalar);
    const TraceTo to = {weight_set<const void>(weights), sequence<void>(gates, bytes),
                        sequence<void>(c, bytes)};
    launched(stream_, [&] { backend_.trace(tape, to); });
  }

 private:
  static TapeMemory tape_memory(const py::array& memory) {
    return {static_cast<char*>(const_cast<void*>(memory.data())),
            static_cast<std::size_t>(memory.nbytes())};
  }

  DeviceStream& stream_;
  DeviceBackend backend_;
};

}  // namespace

void register_queue(py::module_& module) {
  // Local: `_core` has classes of its own for the same types.
  py::class_<Memory>(module, "Memory", py::module_local())
      .def_property_readonly("address", &Memory::address)
      .def_property_readonly("nbytes", &Memory::bytes);
  py::class_<Tape>(module, "Tape", py::module_local())
      .def_property_readonly("nbytes", &Tape::bytes);
  py::class_<Packed>(module, "Packed", py::module_local())
      .def_property_readonly("nbytes", &Packed::bytes);
  py::class_<Queue>(module, "Queue", py::module_local())
      .def(py::init<int, std::uintptr_t>())
      .def("empty", &Queue::empty)
      .def("copy_in", &Queue::copy_in)
      .def("fill", &Queue::fill)
      .def("copy", &Queue::copy)
      .def("add", &Queue::add)
      .def("multiply", &Queue::multiply)
      .def("wait_for", &Queue::wait_for)
      .def("hold_up", &Queue::hold_up)
      .def("wait", &Queue::wait)
      .def("pack", &Queue::pack)
      .def("forward", &Queue::forward)
      .def("forward_packed", &Queue::forward_packed)
      .def("tape_bytes", &Queue::tape_bytes<Purpose::training>)
      .def("tape_bytes_of_checkpoints", &Queue::tape_bytes<Purpose::training_with_checkpoints>)
      .def("forward_saving", &Queue::forward_saving<Purpose::training>)
      .def("forward_saving_checkpoints", &Queue::forward_saving<Purpose::training_with_checkpoints>)
      .def("tape", &Queue::tape<Purpose::training>)
      .def("tape_of_checkpoints", &Queue::tape<Purpose::training_with_checkpoints>)
      .def("backward", &Queue::backward)
      .def("trace", &Queue::trace);
}

}  // namespace rnnfast
