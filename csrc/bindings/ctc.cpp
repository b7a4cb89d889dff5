// Connectionist temporal classification.
#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "bindings/register.hpp"
#include "cpu/dispatch/dispatch.hpp"

namespace rnnfast {
namespace {

/// A thread is worth starting for so many states, over all steps and rows: tens of microseconds.
constexpr index states_for_another_thread = 1 << 13;

void ctc(const py::array& x, const py::array& lengths, const py::array& labels,
         const py::array& starts, index blank, const py::array& losses,
         const py::object& gradient) {
  with_scalar(scalar_of(x.dtype()), [&](auto scalar) {
    using T = decltype(scalar);
    const CtcCall<T> call = {x.shape(0),
                             x.shape(1),
                             x.shape(2),
                             blank,
                             sequence<const T>(x, sizeof(T)),
                             pointer<const index>(lengths),
                             pointer<const index>(labels),
                             pointer<const index>(starts),
                             pointer<T>(losses),
                             sequence<T>(gradient, sizeof(T))};
    const index states = call.steps * (call.starts[call.rows] + call.rows);
    const index useful = larger(1, states / states_for_another_thread);
    without_gil([&] {
      kernels_of<T>(target()).ctc(call, static_cast<int>(smaller(threads_now(), useful)));
    });
  });
}

}  // namespace

void register_ctc(py::module_& module) { module.def("ctc", &ctc); }

}  // namespace rnnfast
