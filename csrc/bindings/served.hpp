// What a session and a pool have in common as Python sees them: one thread at a time, Python's lock
// let go of where steps take long, and arrays that are taken directly. What does not fit is
// NotImplemented, and Python says what is wrong or makes it fit.
#pragma once

#include <atomic>
#include <cstring>
#include <string>

#include "bindings/gil.hpp"
#include "bindings/new_results.hpp"
#include "bindings/numpy_door.hpp"
#include "serving/pool.hpp"
#include "serving/session.hpp"

namespace rnnfast {

using SharedModel = std::shared_ptr<const Model>;

/// Products of a step of one stream.
inline double products_of(const Model& model) {
  double all = 0;
  for (index i = 0; i < model.layers(); ++i) {
    const Header& made = model.weights(i).header();
    const Dims& dims = made.dims;
    all += static_cast<double>(dims.units) *
           static_cast<double>(made.traits->gates * (dims.inputs + outputs_of(dims)) +
                               dims.projection);
  }
  return all;
}

/// A session or a pool, and whether a thread is using it.
template <class Of>
struct Served {
  Of of;
  const char* name;
  double products;  // of a step of one stream
  std::atomic<bool> taken{false};

  Served(Of&& of, const char* name)
      : of(std::move(of)), name(name), products(products_of(this->of.model())) {}
  Served(Served&& other) noexcept
      : of(std::move(other.of)), name(other.name), products(other.products) {}
};
using ServedSession = Served<Session>;
using ServedPool = Served<Pool>;

/// A thread's turn at one of them. Throws std::runtime_error while it is another's.
class Turn {
 public:
  template <class Of>
  explicit Turn(Served<Of>& served) : taken_(served.taken) {
    if (!taken_.exchange(true, std::memory_order_acquire)) return;
    throw std::runtime_error(std::string("this ") + served.name +
                             " is in use by another thread; give each thread one of its own");
  }
  ~Turn() { taken_.store(false, std::memory_order_release); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::atomic<bool>& taken_;
};

/// Some ten microseconds; for less it is not worth letting other Python threads run.
template <class Body>
void run_lasting(double products, Body&& body) {
  constexpr double long_products = 500'000;
  products > long_products ? without_gil(body) : body();
}

constexpr double long_run = 1 << 26;  // products: tens of milliseconds

/// Of a run that is longer, between two looks at whether a signal has come.
inline index steps_of_a_piece(double products_a_step) {
  return std::max<index>(1, static_cast<index>(long_run / products_a_step));
}

/// Of an array, a part that another has as well.
inline bool overlap(const void* a, index a_bytes, const void* b, index b_bytes) {
  const auto* const from_a = static_cast<const char*>(a);
  const auto* const from_b = static_cast<const char*>(b);
  return from_a < from_b + b_bytes && from_b < from_a + a_bytes;
}

inline index numbers_in(const Shape& shape) {
  index all = 1;
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape.axes); ++i) all *= shape.sizes[i];
  return all;
}

/// Where results go: a new array for None, or one of their shape that may be written, apart from x.
inline bool take_out(const NumpyDoor& door, py::handle out, const Shape& shape, const View& x,
                     index number, NewArray& y) {
  if (out.is_none()) {
    y = door.make(shape);
    return true;
  }
  View view;
  constexpr int writeable = py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  if (!door.look(out, view) || !(view.shape == shape) ||
      !(py::detail::array_proxy(out.ptr())->flags & writeable) ||
      overlap(view.data, numbers_in(shape) * number, x.data, numbers_in(x.shape) * number)) {
    return false;
  }
  y = {py::reinterpret_borrow<py::object>(out), view.data};
  return true;
}

/// Between a state of a stream in a layer and arrays h (R,) and c (H,), or None.
inline void read_state(const Model& model, index layer, const States<void>& state, py::handle h,
                       py::handle c) {
  const auto number = static_cast<std::size_t>(size_of(model.scalar()));
  std::memcpy(pointer<void>(h), state.h,
              static_cast<std::size_t>(model.output_width(layer)) * number);
  if (!state.c) return;
  std::memcpy(pointer<void>(c), state.c,
              static_cast<std::size_t>(model.memory_width(layer)) * number);
}
inline void write_state(const Model& model, index layer, const States<void>& state, py::handle h,
                        py::handle c) {
  const auto number = static_cast<std::size_t>(size_of(model.scalar()));
  std::memcpy(state.h, pointer<const void>(h),
              static_cast<std::size_t>(model.output_width(layer)) * number);
  if (!state.c) return;
  std::memcpy(state.c, pointer<const void>(c),
              static_cast<std::size_t>(model.memory_width(layer)) * number);
}

}  // namespace rnnfast
