// Calls on a stream of a device, as `_core` has them for the processor. Arrays of the device come
// as their geometry (geometry.hpp), so that they are read as NumPy's are; `spans` are the host's.
#include <pybind11/stl.h>

#include <array>

#include "api/device_backend.hpp"
#include "bindings/arguments.hpp"
#include "bindings/cuda/geometry.hpp"
#include "bindings/cuda/register.hpp"
#include "bindings/lock.hpp"

namespace rnnfast {
namespace {

using Object = const py::object&;

enum class GradientsOf { batch, sequences };

class Memory {
 public:
  Memory(std::shared_ptr<char> held, std::size_t bytes) : held_(std::move(held)), bytes_(bytes) {}
  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(held_.get()); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<char> held_;
  std::size_t bytes_;
};

py::dtype type_of(const py::tuple& weights) {
  return py::array(weight(weights, WeightId::w_ih)).dtype();
}

Weights weights_of(Object cell, const py::tuple& weights, StorageType storage) {
  return {cell_spec(cell), scalar_of(storage), dims_of(weights), weight_set<const void>(weights)};
}

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

class Queue {
 public:
  Queue(int device, std::uintptr_t stream)
      : stream_(device_stream(device, stream)), backend_(stream_) {}

  Memory empty(std::size_t bytes) const {
    return launched(stream_, [&] { return Memory(stream_.take(bytes), bytes); });
  }
  void fill(const py::array& to, double value) const {
    const StorageType type = stored_in(to.dtype());
    const DeviceView view = view_of(to);
    launched(stream_, [&] { stream_.fill(type, value, view); });
  }
  void copy(const py::array& from, const py::array& to) const {
    const StorageType type = stored_in(to.dtype());
    const DeviceView views[] = {view_of(from), view_of(to)};
    launched(stream_, [&] { stream_.copy(type, views[0], views[1]); });
  }
  void add(const py::array& a, const py::array& b, const py::array& to) const {
    const StorageType type = stored_in(to.dtype());
    const DeviceView views[] = {view_of(a), view_of(b), view_of(to)};
    launched(stream_, [&] { stream_.add(type, views[0], views[1], views[2]); });
  }
  void apply_mask(const py::array& from, const py::array& mask, const py::array& to) const {
    const StorageType type = stored_in(to.dtype());
    const DeviceView views[] = {view_of(from), view_of(mask), view_of(to)};
    launched(stream_, [&] { stream_.apply_mask(type, views[0], views[1], views[2]); });
  }
  void draw_mask(std::uint64_t seed, std::uint64_t kind, std::uint64_t part, std::uint32_t level,
                 double below, double above, const py::array& to) const {
    const ScalarType scalar = scalar_of(to.dtype());
    const DrawnMask mask = {{seed, kind, part}, level, below, above};
    const index count = to.size();
    void* const there = const_cast<void*>(to.data());
    launched(stream_, [&] { stream_.draw_mask(scalar, mask, count, there); });
  }
  /// By a seed of the device's, and with the rest of a rate (cuda/backend/drawn_masks.hpp).
  void draw_mask_by(const py::array& seed, std::uint64_t kind, std::uint64_t part,
                    std::uint32_t level, std::uint64_t rest, double below, double above,
                    const py::array& to) const {
    const ScalarType scalar = scalar_of(to.dtype());
    const DrawnMask mask = {
        {0, kind, part}, level, below, above, pointer<const std::uint64_t>(seed), rest};
    const index count = to.size();
    void* const there = const_cast<void*>(to.data());
    launched(stream_, [&] { stream_.draw_mask(scalar, mask, count, there); });
  }
  /// Places are the host's, as they are drawn there.
  void put(const py::array& to, const py::array_t<index, py::array::c_style>& places,
           double value) const {
    const ScalarType scalar = scalar_of(to.dtype());
    const index count = places.size();
    if (count == 0) return;
    const auto bytes = static_cast<std::size_t>(places.nbytes());
    const index* const numbers = places.data();
    void* const there = const_cast<void*>(to.data());
    launched(stream_, [&] {
      const std::shared_ptr<char> memory = stream_.take(bytes);
      stream_.copy_in(numbers, bytes, memory.get());
      stream_.put(scalar, value, reinterpret_cast<const index*>(memory.get()), count, there);
    });
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
    const StorageType storage = stored_in(type_of(given));
    const Weights weights = weights_of(cell, given, storage);
    return launched(stream_, [&] { return backend_.pack(weights, storage); });
  }

  void forward(Object cell, const py::array& x, const py::tuple& given, Object h0, Object c0,
               Object spans, Object resets, Object masks, const py::array& y, const py::array& h_n,
               Object c_n) const {
    const StorageType storage = stored_in(x.dtype());
    const Weights weights = weights_of(cell, given, storage);
    const Call call = call_of({x, h0, c0, spans, resets, masks, y, h_n, c_n},
                              dims_of(x, weights.dims), size_of(storage), weights.scalar);
    const CallPlan plan =
        backend_.plan(Purpose::inference, weights.cell, {weights.scalar, storage}, call.sizes());
    launched(stream_, [&] { backend_.forward(weights, storage, call, plan); });
  }

  void forward_packed(const Packed& packed, const py::array& x, Object h0, Object c0, Object spans,
                      Object resets, Object masks, const py::array& y, const py::array& h_n,
                      Object c_n) const {
    const Header& made = packed.header();
    const Call call = call_of({x, h0, c0, spans, resets, masks, y, h_n, c_n}, dims_of(x, made.dims),
                              size_of(made.storage), made.scalar);
    const CallPlan plan =
        backend_.plan(Purpose::inference, made.cell, made.precision(), call.sizes());
    launched(stream_, [&] { backend_.forward(packed, call, plan); });
  }

  /// Of a call of T, B, I, H and R, which is 0 where h is not projected.
  template <Purpose purpose>
  std::size_t tape_bytes(Object cell, const py::dtype& dtype, const std::array<index, 5>& sizes,
                         bool masks_h) const {
    const CellSpec of = cell_spec(cell);
    const StorageType storage = stored_in(dtype);
    const auto& [steps, rows, inputs, units, projection] = sizes;
    const CallSizes call = {{steps, rows, inputs, units, projection}, masks_h};
    const CallPlan plan = backend_.plan(purpose, of, {scalar_of(storage), storage}, call);
    return backend_.tape_bytes(of, storage, plan);
  }

  /// The tape lies in `memory`, bytes of the device that the caller keeps as long.
  template <Purpose purpose>
  Tape forward_saving(const py::array& memory, Object cell, const py::array& x,
                      const py::tuple& given, Object h0, Object c0, Object spans, Object resets,
                      Object masks, const py::array& y, const py::array& h_n, Object c_n) const {
    const StorageType storage = stored_in(x.dtype());
    const Weights weights = weights_of(cell, given, storage);
    const Call call = call_of({x, h0, c0, spans, resets, masks, y, h_n, c_n},
                              dims_of(x, weights.dims), size_of(storage), weights.scalar);
    const CallPlan plan =
        backend_.plan(purpose, weights.cell, {weights.scalar, storage}, call.sizes());
    TapeMemory there = tape_memory(memory);
    return launched(stream_, [&] {
      return backend_.forward_saving(weights, storage, call, plan, std::move(there));
    });
  }

  /// The tape of a forward pass that has left it in `memory`, for a backward pass of the same call.
  template <Purpose purpose>
  Tape tape(const py::array& memory, Object cell, const py::array& x, const py::tuple& given,
            Object spans, Object masks) const {
    const StorageType storage = stored_in(x.dtype());
    const Weights weights = weights_of(cell, given, storage);
    Call call = {};
    call.dims = dims_of(x, weights.dims);
    call.spans = pointer<const index>(spans);
    call.masks = masks_of(masks, size_of(weights.scalar));
    const CallPlan plan =
        backend_.plan(purpose, weights.cell, {weights.scalar, storage}, call.sizes());
    return backend_.tape(weights, storage, call, plan, tape_memory(memory));
  }

  template <GradientsOf owners>
  void backward(const Tape& tape, const py::array& x, const py::tuple& weights, Object resets,
                Object masks, index truncate, Object dy, Object dh_n, Object dc_n, Object dx,
                const py::tuple& gradients, Object dh0, Object dc0) const {
    const index bytes = size_of(tape.header().storage);
    const Pullback call = {sequence<const void>(x, bytes),
                           weight_set<const void>(weights),
                           resets_of(resets),
                           masks_of(masks, size_of(tape.header().scalar)),
                           truncate,
                           sequence<const void>(dy, bytes),
                           {pointer<const void>(dh_n), pointer<const void>(dc_n)},
                           {sequence<void>(dx, bytes),
                            weight_set<void>(gradients),
                            {pointer<void>(dh0), pointer<void>(dc0)},
                            owners == GradientsOf::sequences}};
    launched(stream_, [&] { backend_.backward(tape, call); });
  }

  void trace(const Tape& tape, const py::tuple& weights, const py::array& gates, Object c) const {
    const index bytes = size_of(tape.header().storage);
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
      .def("fill", &Queue::fill)
      .def("copy", &Queue::copy)
      .def("add", &Queue::add)
      .def("apply_mask", &Queue::apply_mask)
      .def("draw_mask", &Queue::draw_mask)
      .def("draw_mask_by", &Queue::draw_mask_by)
      .def("put", &Queue::put)
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
      .def("backward", &Queue::backward<GradientsOf::batch>)
      .def("backward_per_sample", &Queue::backward<GradientsOf::sequences>)
      .def("trace", &Queue::trace);
}

}  // namespace rnnfast
