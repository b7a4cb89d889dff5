// Masks drawn at random.
#include "base/threads.hpp"
#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "seq/random_mask.hpp"

namespace rnnfast {
namespace {

void draw(std::uint64_t seed, std::uint64_t kind, std::uint64_t part, std::uint32_t level,
          double below, double above, const py::array& mask) {
  with_scalar(mask.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    T* const to = pointer<T>(mask);
    const py::gil_scoped_release release;
    draw_mask<T>({seed, kind, part}, level, static_cast<T>(below), static_cast<T>(above), to,
                 mask.size(), default_threads());
  });
}

}  // namespace

void register_masks(py::module_& module) { module.def("draw_mask", &draw); }

}  // namespace rnnfast
