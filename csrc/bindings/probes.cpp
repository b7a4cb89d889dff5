// Pieces of the kernels by themselves: accuracy of the activations, speed of the tiles.
#include <chrono>
#include <type_traits>

#include "api/cpu_calls.hpp"
#include "base/team.hpp"
#include "bindings/arguments.hpp"
#include "bindings/gil.hpp"
#include "bindings/register.hpp"

namespace rnnfast {
namespace {

/// Calls function(from, to, count) on whole vectors.
template <class T, class Function>
py::array_t<T> padded(const py::array_t<T>& x, Function&& function) {
  constexpr index widest = 64 / sizeof(T);
  const index count = x.size();
  std::vector<T> values(static_cast<std::size_t>(round_up(count, widest)), T{});
  std::copy_n(x.data(), count, values.begin());
  function(values.data(), values.data(), static_cast<index>(values.size()));
  return py::array_t<T>(count, values.data());
}

/// A fixed one by its name, or as a call chooses it.
template <class T>
py::array_t<T> activation(const py::object& of, const py::array_t<T>& x) {
  const Probes<T>& probes = kernels_of<T>(target()).probes;
  if (py::isinstance<py::str>(of)) {
    const auto name = of.cast<std::string>();
    const auto function = name == "sigmoid" ? probes.sigmoid
                          : name == "tanh"  ? probes.tanh
                                            : nullptr;
    if (!function) throw std::invalid_argument("no activation named " + name);
    return padded(x, function);
  }
  const ActivationChoice choice = activation_choice(of.cast<ChoiceFields>());
  return padded(x,
                [&](const T* from, T* to, index count) { probes.chosen(choice, from, to, count); });
}

/// The slope of a chosen one where its value is y.
template <class T>
py::array_t<T> activation_slope(const ChoiceFields& of, const py::array_t<T>& y) {
  const Probes<T>& probes = kernels_of<T>(target()).probes;
  const ActivationChoice choice = activation_choice(of);
  return padded(
      y, [&](const T* from, T* to, index count) { probes.chosen_slope(choice, from, to, count); });
}

/// Calls work(), which does `flops`, until `seconds` have passed; returns GFLOP/s of the best call.
template <class Work>
double best_rate(double flops, double seconds, Work&& work) {
  using Clock = std::chrono::steady_clock;
  const auto elapsed = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  const KernelMode mode;
  const auto begin = Clock::now();
  double best = 0;
  do {
    const auto start = Clock::now();
    work();
    best = std::max(best, flops / elapsed(start) * 1e-9);
  } while (elapsed(begin) < seconds);
  return best;
}

/// The pieces of a precision's products, those of the plain one alike.
template <class T>
FormatProbes<T> product_of(const py::object& precision) {
  constexpr auto scalar = std::is_same_v<T, float> ? ScalarType::float32 : ScalarType::float64;
  const Precision wanted = precision_of(precision, scalar);
  if (const FormatKernels<T>* const format = format_for<T>(wanted.storage)) return format->probes;
  const Probes<T>& of = kernels_of<T>(target()).probes;
  return {1,
          sizeof(T),
          sizeof(T),
          0,
          of.tile_rows,
          [](int rows, int vectors, index k, const void* a, const void* b, const T* start, T* c,
             index repeats) {
            kernels_of<T>(target()).probes.tile(rows, vectors, k, static_cast<const T*>(a),
                                                static_cast<const T*>(b), start, c, repeats);
          },
          of.fma_chains,
          1,
          of.fma_loop};
}

/// What a probe of tiles works on: A, B, where C starts, and C; sizes of A and B in bytes.
template <class T>
struct TileOperands {
  index of_a;
  index of_b;
  index of_c;
  char* a = nullptr;
  char* b = nullptr;
  T* start = nullptr;
  T* c = nullptr;

  void place(Bump& bump) {
    a = bump.take<char>(of_a);
    b = bump.take<char>(of_b);
    start = bump.take<T>(of_c);
    c = bump.take<T>(of_c);
  }
  /// In fresh memory, which is zero.
  Arena allocate() {
    Arena memory(measure(*this));
    __builtin_memset(memory.data(), 0, memory.size());
    place_in(memory.data(), *this);
    return memory;
  }
};

template <class T>
index lanes_of_target() {
  return kernels_of<T>(target()).fixed.cells[0].traits.lanes;
}

template <class T>
double tile_rate(const FormatProbes<T>& product, int rows, int vectors, index k, double seconds) {
  const index columns = vectors * lanes_of_target<T>();
  const index elements = ceil_div(k, product.group);
  TileOperands<T> on = {rows * elements * product.a_size,
                        columns * (product.b_head + elements) * product.b_size, rows * columns};
  const Arena memory = on.allocate();
  constexpr index repeats = 200;
  const double flops = 2.0 * static_cast<double>(rows * columns * k * repeats);
  return best_rate(flops, seconds, [&] {
    product.tile(rows, vectors, elements, on.a, on.b, on.start, on.c, repeats);
  });
}

/// GB/s at which one core's product of a single row reads its weights, (k, about `columns`) in
/// panels, pass after pass and there and back, as a sequence does.
template <class T>
double stream_rate(const FormatProbes<T>& product, index columns, index k, double seconds) {
  const int vectors = kernels_of<T>(target()).probes.widest_tile(1);
  const index width = vectors * lanes_of_target<T>();
  const index panels = ceil_div(columns, width);
  const index elements = ceil_div(k, product.group);
  const index panel = (product.b_head + elements) * width * product.b_size;
  TileOperands<T> on = {elements * product.a_size, panels * panel, width};
  const Arena memory = on.allocate();
  const double bytes = 2.0 * static_cast<double>(panels * panel);
  const auto multiply = [&](index i) {
    product.tile(1, vectors, elements, on.a, on.b + i * panel, on.start, on.c, 1);
  };
  return best_rate(bytes, seconds, [&] {
    for (index i = 0; i < panels; ++i) multiply(i);
    for (index i = panels; i-- > 0;) multiply(i);
  });
}

/// Seconds in which `threads` workers meet.
double meeting_time(int threads, double seconds) {
  constexpr int meetings = 1000;
  const double rate = best_rate(meetings, seconds, [&] {
    team(threads, [](Worker& worker) {
      for (int i = 0; i < meetings; ++i) worker.stage([](const Share&) {});
    });
  });
  return 1e-9 / rate;
}

template <class T>
double multiply_rate(const FormatProbes<T>& product, double seconds) {
  constexpr index count = 10000;
  volatile T sink = 0;
  const double products =
      static_cast<double>(product.chains * product.products * lanes_of_target<T>());
  return best_rate(2.0 * count * products, seconds, [&] { sink = product.multiply_loop(count); });
}

template <class T>
py::list tiles(const FormatProbes<T>& product) {
  py::list shapes;
  for (int vectors = 1; vectors <= kernels_of<T>(target()).probes.tile_vectors; ++vectors) {
    shapes.append(py::make_tuple(product.tile_rows(vectors), vectors));
  }
  return shapes;
}

}  // namespace

void register_probes(py::module_& module) {
  py::module_ probes = module.def_submodule("probes", "Pieces of the kernels by themselves.");
  probes.def(
      "activation",
      [](const py::object& name, const py::array& x) {
        return with_scalar(scalar_of(x.dtype()), [&](auto scalar) -> py::array {
          return activation<decltype(scalar)>(name, py::array_t<decltype(scalar)>(x));
        });
      },
      py::arg("name"), py::arg("x"));
  probes.def(
      "activation_slope",
      [](const ChoiceFields& choice, const py::array& y) {
        return with_scalar(scalar_of(y.dtype()), [&](auto scalar) -> py::array {
          return activation_slope<decltype(scalar)>(choice, py::array_t<decltype(scalar)>(y));
        });
      },
      py::arg("choice"), py::arg("y"));
  probes.def(
      "tiles",
      [](const py::dtype& dtype, const py::object& precision) {
        return with_scalar(scalar_of(dtype), [&](auto scalar) {
          return tiles(product_of<decltype(scalar)>(precision));
        });
      },
      py::arg("dtype"), py::arg("precision") = py::none());
  probes.def(
      "tile_rate",
      [](const py::dtype& dtype, int rows, int vectors, double seconds, index k,
         const py::object& precision) {
        return with_scalar(scalar_of(dtype), [&](auto scalar) {
          const auto product = product_of<decltype(scalar)>(precision);
          return without_gil([&] { return tile_rate(product, rows, vectors, k, seconds); });
        });
      },
      py::arg("dtype"), py::arg("rows"), py::arg("vectors"), py::arg("seconds") = 0.1,
      py::arg("k") = 256, py::arg("precision") = py::none());
  probes.def(
      "stream_rate",
      [](const py::dtype& dtype, index columns, index k, double seconds,
         const py::object& precision) {
        return with_scalar(scalar_of(dtype), [&](auto scalar) {
          const auto product = product_of<decltype(scalar)>(precision);
          return without_gil([&] { return stream_rate(product, columns, k, seconds); });
        });
      },
      py::arg("dtype"), py::arg("columns"), py::arg("k"), py::arg("seconds") = 0.1,
      py::arg("precision") = py::none());
  probes.def(
      "meeting_time",
      [](int threads, double seconds) {
        return without_gil([&] { return meeting_time(threads, seconds); });
      },
      py::arg("threads"), py::arg("seconds") = 0.1);
  probes.def(
      "fma_rate",
      [](const py::dtype& dtype, double seconds, const py::object& precision) {
        return with_scalar(scalar_of(dtype), [&](auto scalar) {
          const auto product = product_of<decltype(scalar)>(precision);
          return without_gil([&] { return multiply_rate(product, seconds); });
        });
      },
      py::arg("dtype"), py::arg("seconds") = 0.1, py::arg("precision") = py::none());
}

}  // namespace rnnfast
