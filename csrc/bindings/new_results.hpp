// One layer in one direction without options, into new arrays of a door: where a microsecond
// matters. What does not fit is NotImplemented, and Python goes the longer way.
//
// A Door looks at arrays of one scalar type and makes them:
//
//   bool look(py::handle, View&) const       false for what it does not take
//   NewArray make(const Shape&) const
#pragma once

#include "api/backend.hpp"
#include "bindings/gil.hpp"
#include "bindings/views.hpp"

namespace rnnfast {

inline py::object not_implemented() {
  return py::reinterpret_borrow<py::object>(Py_NotImplemented);
}

/// What a call goes over: sequences (T, B, I), or (B, T, I), with states (1, B, R); sequences
/// (T, B, I) with the states (B, R) of a layer by itself; or one step (B, I) with such states.
enum class Extent { sequences, batch_first, of_layer, step };

/// Of x, y or their gradients, so many numbers wide.
inline Shape sequence_shape(Extent extent, const Dims& dims, index width) {
  if (extent == Extent::step) return {dims.rows, width};
  if (extent == Extent::batch_first) return {dims.rows, dims.steps, width};
  return {dims.steps, dims.rows, width};
}

inline Shape state_shape(Extent extent, index rows, index width) {
  const bool by_itself = extent == Extent::step || extent == Extent::of_layer;
  return by_itself ? Shape{rows, width} : Shape{1, rows, width};
}

/// A dense array of a sequence_shape.
template <class T>
Sequence<T> dense_sequence(Extent extent, const Dims& dims, index width, T* data) {
  if (extent == Extent::batch_first) return {data, width, dims.steps * width};
  return {data, dims.rows * width, width};
}

/// Reads a dense array of a shape; null for None, false where it does not fit.
template <class Door>
bool read(const Door& door, py::handle object, const Shape& shape, const void*& data) {
  data = nullptr;
  if (object.is_none()) return true;
  View view;
  if (!door.look(object, view) || view.shape != shape || !view.is_dense()) return false;
  data = view.data;
  return true;
}

/// Takes a view as what a call goes over, of any strides but the last; T and B with it.
inline bool take_x(const View& view, Extent extent, Dims& dims, Sequence<const void>& x) {
  if (view.shape.axes != (extent == Extent::step ? 2 : 3) || !view.has_dense_rows()) return false;
  const auto& sizes = view.shape.sizes;
  const auto& strides = view.strides;
  if (extent == Extent::step) {
    dims.steps = 1;
    dims.rows = sizes[0];
    x = {view.data, 0, strides[0]};
  } else {
    const std::size_t time = extent == Extent::batch_first ? 1 : 0;
    dims.steps = sizes[time];
    dims.rows = sizes[1 - time];
    x = {view.data, strides[time], strides[1 - time]};
  }
  return view.shape == sequence_shape(extent, dims, dims.inputs) && dims.steps > 0 && dims.rows > 0;
}

template <class Door>
bool read_states(const Door& door, py::handle h0, py::handle c0, Extent extent, const Dims& dims,
                 States<const void>& states) {
  return read(door, h0, state_shape(extent, dims.rows, outputs_of(dims)), states.h) &&
         read(door, c0, state_shape(extent, dims.rows, dims.units), states.c);
}

/// Its arguments, but for those that are null: one by itself, several as a tuple that takes them
/// over.
template <class... Items>
py::object one_or_tuple(Items&&... items) {
  const Py_ssize_t count = ((items ? 1 : 0) + ...);
  py::object only;
  if (count == 1) {
    ((items ? void(only = std::move(items)) : void()), ...);
    return only;
  }
  py::tuple all(count);
  Py_ssize_t i = 0;
  ((items ? void(PyTuple_SET_ITEM(all.ptr(), i++, items.release().ptr())) : void()), ...);
  return all;
}

/// What a call makes: y, h and, where the cell has one, c; of a step no y.
class NewResults {
 public:
  /// `call`, whose sizes are known, is to write into them.
  template <class Door>
  NewResults(const Door& door, const CellTraits& traits, Extent extent, Call& call) {
    const Dims& dims = call.dims;
    const index width = outputs_of(dims);
    h_ = door.make(state_shape(extent, dims.rows, width));
    if (traits.has_memory) c_ = door.make(state_shape(extent, dims.rows, dims.units));
    if (extent == Extent::step) {
      end_step(call, {h_.data, c_.data});
    } else {
      y_ = door.make(sequence_shape(extent, dims, width));
      call.y = dense_sequence(extent, dims, width, y_.data);
      call.last = {h_.data, c_.data};
    }
  }
  py::object take() { return one_or_tuple(y_.object, h_.object, c_.object); }

 private:
  NewArray y_;
  NewArray h_;
  NewArray c_;
};

/// Some ten microseconds; for less it is not worth letting other Python threads run.
inline bool takes_long(const Dims& dims, const CellTraits& cell) {
  constexpr index products = 500000;
  const index products_a_unit = dims.inputs + outputs_of(dims);
  return dims.steps * dims.rows * dims.units * cell.gates > products / products_a_unit;
}

/// y, h and, where there is one, c; after a step h alone or with c.
template <class Door>
py::object run_into_new(const Door& door, const Packed& packed, Extent extent, py::handle x,
                        py::handle h0, py::handle c0) {
  const Header& made = packed.header();
  const Backend& backend = cpu_backend();
  const CellTraits& traits = *made.traits;
  Call call = {};
  call.dims = made.dims;
  View of_x;
  if (!door.look(x, of_x) || !take_x(of_x, extent, call.dims, call.x) ||
      !read_states(door, h0, c0, extent, call.dims, call.initial)) {
    return not_implemented();
  }
  NewResults results(door, traits, extent, call);
  const CallPlan plan = backend.plan(packed, call.sizes());
  const auto run = [&] { backend.forward(packed, call, plan); };
  takes_long(call.dims, traits) ? without_gil(run) : run();
  return results.take();
}

}  // namespace rnnfast
