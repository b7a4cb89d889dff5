// Pools: steps of many streams by their ids, entered directly.
#include "bindings/direct_method.hpp"
#include "bindings/register.hpp"
#include "bindings/served.hpp"
#include "bindings/states_before.hpp"

namespace rnnfast {
namespace {

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
  const std::string at = "[" + std::to_string(refused.at) + "]";
  if (refused.outcome == PoolStep::no_length) {
    throw std::invalid_argument("lengths" + at + " must be from 0 to T");
  }
  const std::string name = "ids" + at;
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

/// A run that a signal may end: its sessions are then as they were before.
PoolStep run_asking(ServedPool& served, const Ids& which, const PoolRun& all) {
  Pool& pool = served.of;
  // A copy: other threads of Python may write to the array meanwhile.
  const std::vector<index> ids(which.data(), which.data() + which.count());
  const PoolStep found = pool.run(ids.data(), which.count(), {0, all.x, all.y});
  if (found.outcome != PoolStep::done) return found;
  StatesBefore before;
  for (const index id : ids) {
    before.add(pool.model(), [&](index layer) { return pool.state(layer, id); });
  }
  const ScalarType scalar = pool.model().scalar();
  std::vector<index> left;
  if (all.lengths) left.assign(all.lengths, all.lengths + which.count());
  std::vector<index> now(left.size());
  const index piece = steps_of_a_piece(served.products * static_cast<double>(which.count()));
  for (index step = 0; step < all.steps; step += piece) {
    PoolRun next = {std::min(piece, all.steps - step), beginning(all.x, step, 0, scalar),
                    beginning(all.y, step, 0, scalar)};
    for (std::size_t i = 0; i < left.size(); ++i) {
      now[i] = std::min(left[i], next.steps);
      left[i] -= now[i];
    }
    if (all.lengths) next.lengths = now.data();
    without_gil([&] { pool.run(ids.data(), which.count(), next); });
    if (PyErr_CheckSignals() != 0) {
      before.restore();
      throw py::error_already_set();
    }
  }
  return found;
}

/// Each of (B,), from 0 to T, which Python has seen to; null for None.
const index* lengths_of(py::handle lengths) {
  return lengths.is_none() ? nullptr
                           : pointer<const index>(py::reinterpret_borrow<py::object>(lengths));
}

/// ids (B,), x (T, B, I), lengths (B,) or None, out (T, B, R) or None.
py::object run(ServedPool& served, py::handle ids, py::handle x, py::handle lengths,
               py::handle out) {
  const Model& model = served.of.model();
  const NumpyDoor door(model.scalar());
  const Ids which(ids);
  View of_x;
  NewArray y;
  if (!which.there() || !door.look(x, of_x) || of_x.shape.axes != 3) return not_implemented();
  const index steps = of_x.shape.sizes[0];
  const index count = which.count();
  if (!(of_x.shape == Shape{steps, count, model.inputs()}) ||
      !take_out(door, out, {steps, count, model.outputs()}, of_x, size_of(model.scalar()), y)) {
    return not_implemented();
  }
  const PoolRun all = {steps,
                       {of_x.data, count * model.inputs(), model.inputs()},
                       {y.data, count * model.outputs(), model.outputs()},
                       lengths_of(lengths)};
  const double products = served.products * static_cast<double>(count * steps);
  const Turn turn(served);
  PoolStep found = {};
  if (products > long_run) {
    found = run_asking(served, which, all);
  } else {
    run_lasting(products, [&] { found = served.of.run(which.data(), count, all); });
  }
  if (found.outcome != PoolStep::done) refuse(found, which.data()[found.at]);
  return y.object;
}

void require_open(const Pool& pool, index id) {
  if (pool.is_open(id)) return;
  throw std::invalid_argument("id must be an open session of this pool, got " + std::to_string(id) +
                              "; pool.open() gives the ids");
}

}  // namespace

void register_pools(py::module_& module) {
  py::class_<ServedPool>(module, "Pool")
      .def_property_readonly("nbytes", [](const ServedPool& served) { return served.of.bytes(); })
      .def("__len__", [](const ServedPool& served) { return served.of.size(); })
      .def_property_readonly("step", &direct_method<ServedPool, &step_of_some>)
      .def_property_readonly("run", &direct_method<ServedPool, &run>)
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

}  // namespace rnnfast
