// Models that are served: sessions and pools. Their steps are entered directly; what does not fit
// is NotImplemented, and Python says what is wrong or makes it fit.
//
// A session, or a pool, is of one thread at a time: the next one is told so. Python's lock is let
// go of where steps take long, and is not needed in them.
#include <atomic>
#include <cstring>

#include "bindings/arguments.hpp"
#include "bindings/direct_method.hpp"
#include "bindings/gil.hpp"
#include "bindings/new_results.hpp"
#include "bindings/numpy_door.hpp"
#include "bindings/register.hpp"
#include "serving/pool.hpp"
#include "serving/session.hpp"

namespace rnnfast {
namespace {

using SharedModel = std::shared_ptr<const Model>;

/// A session or a pool, and whether a thread is using it.
template <class Of>
struct Served {
  Of of;
  double products;  // of a step of one stream
  const char* name;
  std::atomic<bool> taken{false};

  Served(const char* name, const SharedModel& model, Of&& of);
  Served(Served&& other) noexcept
      : of(std::move(other.of)), products(other.products), name(other.name) {}
};

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

double products_of(const Model& model) {
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

template <class Of>
Served<Of>::Served(const char* name, const SharedModel& model, Of&& of)
    : of(std::move(of)), products(products_of(*model)), name(name) {}

using ServedSession = Served<Session>;
using ServedPool = Served<Pool>;

// Some ten microseconds; for less it is not worth letting other Python threads run. And what may
// pass before somebody asks for signals: tens of milliseconds.
constexpr double long_products = 500'000;
constexpr double asking_products = 1 << 26;

template <class Body>
void run_lasting(double products, Body&& body) {
  products > long_products ? without_gil(body) : body();
}

/// Of an array, a part that another has as well.
bool overlap(const void* a, index a_bytes, const void* b, index b_bytes) {
  const auto* const from_a = static_cast<const char*>(a);
  const auto* const from_b = static_cast<const char*>(b);
  return from_a < from_b + b_bytes && from_b < from_a + a_bytes;
}

index numbers_in(const Shape& shape) {
  index all = 1;
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape.axes); ++i) all *= shape.sizes[i];
  return all;
}

/// Where results go: a new array for None, or one of their shape that may be written, apart from x.
bool take_out(const NumpyDoor& door, py::handle out, const Shape& shape, const View& x,
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

/// x (I,), out (R,) or None.
py::object step(ServedSession& served, py::handle x, py::handle out) {
  const Model& model = served.of.model();
  const NumpyDoor door(model.scalar());
  View of_x;
  NewArray y;
  if (!door.look(x, of_x) || !(of_x.shape == Shape{model.inputs()}) ||
      !take_out(door, out, {model.outputs()}, of_x, size_of(model.scalar()), y)) {
    return not_implemented();
  }
  const Turn turn(served);
  run_lasting(served.products, [&] { served.of.step(of_x.data, y.data); });
  return y.object;
}

/// Copies of all states of a stream, to go back to.
class Before {
 public:
  explicit Before(const Session& session) : session_(session) {
    each([&](void* state, std::size_t bytes) {
      copies_.emplace_back(static_cast<char*>(state), static_cast<char*>(state) + bytes);
    });
  }
  void restore() const {
    auto copy = copies_.begin();
    each([&](void* state, std::size_t bytes) { std::memcpy(state, (copy++)->data(), bytes); });
  }

 private:
  template <class Body>
  void each(Body&& body) const {
    const Model& model = session_.model();
    const index number = size_of(model.scalar());
    for (index i = 0; i < model.layers(); ++i) {
      const States<void> state = session_.state(i);
      body(state.h, static_cast<std::size_t>(model.output_width(i) * number));
      if (state.c) body(state.c, static_cast<std::size_t>(model.memory_width(i) * number));
    }
  }

  const Session& session_;
  std::vector<std::vector<char>> copies_;
};

/// Steps of which a signal may end the run: the session is then as it was before.
void run_asking(ServedSession& served, index steps, Sequence<const void> x, Sequence<void> y,
                index number) {
  const Before before(served.of);
  const index piece = std::max<index>(1, static_cast<index>(asking_products / served.products));
  for (index step = 0; step < steps; step += piece) {
    without_gil([&] {
      served.of.run(
          std::min(piece, steps - step),
          {static_cast<const char*>(x.data) + step * x.step_stride * number, x.step_stride, 0},
          {static_cast<char*>(y.data) + step * y.step_stride * number, y.step_stride, 0});
    });
    if (PyErr_CheckSignals() != 0) {
      before.restore();
      throw py::error_already_set();
    }
  }
}

/// x (T, I), out (T, R) or None.
py::object run(ServedSession& served, py::handle x, py::handle out) {
  const Model& model = served.of.model();
  const NumpyDoor door(model.scalar());
  const index number = size_of(model.scalar());
  View of_x;
  NewArray y;
  if (!door.look(x, of_x) || of_x.shape.axes != 2 || of_x.shape.sizes[1] != model.inputs() ||
      !take_out(door, out, {of_x.shape.sizes[0], model.outputs()}, of_x, number, y)) {
    return not_implemented();
  }
  const index steps = of_x.shape.sizes[0];
  const double products = served.products * static_cast<double>(steps);
  const Sequence<const void> from = {of_x.data, model.inputs(), 0};
  const Sequence<void> to = {y.data, model.outputs(), 0};
  const Turn turn(served);
  if (products > asking_products) {
    run_asking(served, steps, from, to, number);
  } else {
    run_lasting(products, [&] { served.of.run(steps, from, to); });
  }
  return y.object;
}

/// Of an array of NumPy's indices, or a list of ints, as a pool takes them; null for anything else.
class Ids {
 public:
  explicit Ids(py::handle ids) {
    if (PyList_CheckExact(ids.ptr()) || PyTuple_CheckExact(ids.ptr())) {
      read_items(ids);
    } else if (py::isinstance<py::array>(ids)) {
      read_array(ids);
    }
  }
  bool there() const { return there_; }
  index count() const { return count_; }
  const index* data() const { return data_; }

 private:
  void read_items(py::handle ids) {
    count_ = PySequence_Fast_GET_SIZE(ids.ptr());
    auto* room = nearby_;
    if (count_ > few) {
      many_.resize(static_cast<std::size_t>(count_));
      room = many_.data();
    }
    for (index i = 0; i < count_; ++i) {
      PyObject* const item = PySequence_Fast_GET_ITEM(ids.ptr(), i);
      if (!PyLong_CheckExact(item)) return;
      room[i] = PyLong_AsSsize_t(item);
      if (room[i] == -1 && PyErr_Occurred()) {
        PyErr_Clear();  // larger than any id
        return;
      }
    }
    data_ = room;
    there_ = true;
  }

  void read_array(py::handle ids) {
    constexpr int wanted =
        py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    const auto& proxy = *py::detail::array_proxy(ids.ptr());
    if (proxy.nd != 1 || (proxy.flags & wanted) != wanted ||
        !py::dtype::of<index>().equal(py::handle(proxy.descr))) {
      return;
    }
    count_ = proxy.dimensions[0];
    data_ = reinterpret_cast<const index*>(proxy.data);
    there_ = true;
  }

  static constexpr index few = 128;
  index nearby_[few];
  std::vector<index> many_;
  const index* data_ = nullptr;
  index count_ = 0;
  bool there_ = false;
};

[[noreturn]] void refuse(const PoolStep& refused, index id) {
  const std::string name = "ids[" + std::to_string(refused.at) + "]";
  throw std::invalid_argument(refused.outcome == PoolStep::twice
                                  ? "ids must name each session once, " + name + " is " +
                                        std::to_string(id) + " again"
                                  : name + " must be an open session of this pool, got " +
                                        std::to_string(id) + "; pool.open() gives the ids");
}

/// ids (B,), x (B, I), out (B, R) or None.
py::object step_of_some(ServedPool& served, py::handle ids, py::handle x, py::handle out) {
  const Model& model = served.of.model();
  const NumpyDoor door(model.scalar());
  const Ids which(ids);
  View of_x;
  NewArray y;
  if (!which.there() || !door.look(x, of_x) ||
      !(of_x.shape == Shape{which.count(), model.inputs()}) ||
      !take_out(door, out, {which.count(), model.outputs()}, of_x, size_of(model.scalar()), y)) {
    return not_implemented();
  }
  const Turn turn(served);
  PoolStep found = {};
  run_lasting(served.products * static_cast<double>(which.count()), [&] {
    found = served.of.step(which.data(), which.count(), {of_x.data, 0, model.inputs()},
                           {y.data, 0, model.outputs()});
  });
  if (found.outcome != PoolStep::done) refuse(found, which.data()[found.at]);
  return y.object;
}

void require_open(const Pool& pool, index id) {
  if (pool.is_open(id)) return;
  throw std::invalid_argument("id must be an open session of this pool, got " + std::to_string(id) +
                              "; pool.open() gives the ids");
}

/// Between a state of a stream in a layer and arrays h (R,) and c (H,), or None.
void read_state(const Model& model, index layer, const States<void>& state, py::handle h,
                py::handle c) {
  const auto number = static_cast<std::size_t>(size_of(model.scalar()));
  std::memcpy(pointer<void>(h), state.h,
              static_cast<std::size_t>(model.output_width(layer)) * number);
  if (!state.c) return;
  std::memcpy(pointer<void>(c), state.c,
              static_cast<std::size_t>(model.memory_width(layer)) * number);
}
void write_state(const Model& model, index layer, const States<void>& state, py::handle h,
                 py::handle c) {
  const auto number = static_cast<std::size_t>(size_of(model.scalar()));
  std::memcpy(state.h, pointer<const void>(h),
              static_cast<std::size_t>(model.output_width(layer)) * number);
  if (!state.c) return;
  std::memcpy(state.c, pointer<const void>(c),
              static_cast<std::size_t>(model.memory_width(layer)) * number);
}

struct ServedModel {
  SharedModel of;
};

/// From (cell, weights, how much of h and of c is kept) of each layer.
ServedModel serve(const py::list& layers) {
  std::vector<ServedLayer> packed;
  for (const py::handle& layer : layers) {
    const auto of = py::reinterpret_borrow<py::tuple>(layer);
    const Weights weights = weights_of(of[0], py::tuple(of[1]));
    packed.push_back({without_gil([&] { return cpu_backend().pack(weights); }),
                      {of[2].cast<double>(), of[3].cast<double>()}});
  }
  return {std::make_shared<const Model>(std::move(packed))};
}

ServedSession open_session(const ServedModel& model) {
  return ServedSession("session", model.of, Session(model.of));
}
ServedPool open_pool(const ServedModel& model, index capacity) {
  return ServedPool("pool", model.of, Pool(model.of, capacity));
}

void register_sessions(py::module_& module) {
  py::class_<ServedSession>(module, "Session")
      .def_property_readonly("nbytes",
                             [](const ServedSession& served) { return served.of.bytes(); })
      .def_property_readonly("step", &direct_method<ServedSession, &step>)
      .def_property_readonly("run", &direct_method<ServedSession, &run>)
      .def("reset",
           [](ServedSession& served) {
             const Turn turn(served);
             served.of.reset();
           })
      .def("read_state",
           [](ServedSession& served, index layer, py::handle h, py::handle c) {
             const Turn turn(served);
             read_state(served.of.model(), layer, served.of.state(layer), h, c);
           })
      .def("write_state", [](ServedSession& served, index layer, py::handle h, py::handle c) {
        const Turn turn(served);
        write_state(served.of.model(), layer, served.of.state(layer), h, c);
      });
}

void register_pools(py::module_& module) {
  py::class_<ServedPool>(module, "Pool")
      .def_property_readonly("nbytes", [](const ServedPool& served) { return served.of.bytes(); })
      .def("__len__", [](const ServedPool& served) { return served.of.size(); })
      .def_property_readonly("step", &direct_method<ServedPool, &step_of_some>)
      .def("open",
           [](ServedPool& served) {
             const Turn turn(served);
             return served.of.open();
           })
      .def("close",
           [](ServedPool& served, index id) {
             const Turn turn(served);
             require_open(served.of, id);
             served.of.close(id);
           })
      .def("is_open", [](const ServedPool& served, index id) { return served.of.is_open(id); })
      .def("reset",
           [](ServedPool& served, index id) {
             const Turn turn(served);
             require_open(served.of, id);
             served.of.reset(id);
           })
      .def("read_state",
           [](ServedPool& served, index id, index layer, py::handle h, py::handle c) {
             const Turn turn(served);
             require_open(served.of, id);
             read_state(served.of.model(), layer, served.of.state(layer, id), h, c);
           })
      .def("write_state",
           [](ServedPool& served, index id, index layer, py::handle h, py::handle c) {
             const Turn turn(served);
             require_open(served.of, id);
             write_state(served.of.model(), layer, served.of.state(layer, id), h, c);
           });
}

}  // namespace

void register_serving(py::module_& module) {
  py::class_<ServedModel>(module, "Model")
      .def_property_readonly("nbytes", [](const ServedModel& model) { return model.of->bytes(); })
      .def("session", &open_session)
      .def("pool", &open_pool);
  register_sessions(module);
  register_pools(module);
  module.def("serve", &serve);
}

}  // namespace rnnfast
