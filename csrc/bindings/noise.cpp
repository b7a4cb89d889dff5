// Masks: drawn at random, and put on sequences.
#include "base/threads.hpp"
#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "bindings/register.hpp"
#include "random/masks.hpp"

namespace rnnfast {
namespace {

void draw(std::uint64_t seed, std::uint64_t kind, std::uint64_t part, std::uint32_t level,
          double below, double above, const py::array& mask) {
  with_scalar(scalar_of(mask.dtype()), [&](auto scalar) {
    using T = decltype(scalar);
    T* const to = pointer<T>(mask);
    const index count = mask.size();
    without_gil([&] {
      draw_mask<T>({seed, kind, part}, level, static_cast<T>(below), static_cast<T>(above), to,
                   count, threads_now());
    });
  });
}

/// A mask of fewer axes is the same for all steps.
void apply(const py::array& x, const py::array& mask, const py::array& to) {
  with_scalar(scalar_of(x.dtype()), [&](auto scalar) {
    using T = decltype(scalar);
    const Dims dims = {x.shape(0), x.shape(1), x.shape(2), 0};
    const index step_stride = mask.ndim() == 3 ? dims.rows * dims.inputs : 0;
    const Sequence<const T> factors = {pointer<const T>(mask), step_stride, dims.inputs};
    const Sequence<const T> from = sequence<const T>(x, sizeof(T));
    T* const product = pointer<T>(to);
    without_gil([&] { apply_mask<T>(dims, from, factors, product, threads_now()); });
  });
}

}  // namespace

void register_noise(py::module_& module) {
  module.def("draw_mask", &draw);
  module.def("apply_mask", &apply);
}

}  // namespace rnnfast
