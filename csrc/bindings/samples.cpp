// Arrays that a later call reads again: has any of them changed meanwhile?
#include "base/samples.hpp"

#include <cstdlib>
#include <span>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"

namespace rnnfast {
namespace {

struct Axis {
  index size;
  index stride;  // in bytes
};

/// An array's memory: what lies in one piece, whatever the order of its axes, is one row.
Rows rows_of(py::handle object) {
  const auto array = py::reinterpret_borrow<py::array>(object);
  const auto& proxy = *py::detail::array_proxy(object.ptr());
  Rows rows;
  rows.data = proxy.data;
  rows.bytes = static_cast<std::size_t>(array.itemsize());
  std::array<Axis, Rows::most_axes> axes;
  std::size_t count = 0;
  for (int i = 0; i < proxy.nd; ++i) {
    const Axis axis = {proxy.dimensions[i], proxy.strides[i]};
    if (axis.size == 0) return {};
    if (axis.size == 1 || axis.stride == 0) continue;  // no memory of its own
    if (axis.stride < 0) rows.data += (axis.size - 1) * axis.stride;
    std::size_t place = count++;
    const index stride = std::abs(axis.stride);
    for (; place > 0 && axes.at(place - 1).stride > stride; --place) axes[place] = axes[place - 1];
    axes.at(place) = {axis.size, stride};
  }
  std::size_t apart = 0;
  for (const Axis& axis : std::span(axes).first(count)) {
    const auto size = static_cast<std::size_t>(axis.size);
    if (apart == 0 && axis.stride == static_cast<index>(rows.bytes)) {
      rows.bytes *= size;
    } else {
      rows.counts[apart] = size;
      rows.strides[apart++] = axis.stride;
    }
  }
  return rows;
}

/// Holds the arrays, so that their memory stays where it is.
class Samples {
 public:
  explicit Samples(py::tuple arrays) : arrays_(std::move(arrays)) {
    seen_.reserve(arrays_.size());
    for (const py::handle array : arrays_) seen_.push_back(look(array));
  }

  /// The number of the first array that has changed; -1 for none.
  index changed() const {
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      if (look(arrays_[i]) != seen_[i]) return static_cast<index>(i);
    }
    return -1;
  }

 private:
  static std::uint64_t look(py::handle array) {
    return array.is_none() ? 0 : sampled_fingerprint(rows_of(array));
  }

  py::tuple arrays_;
  std::vector<std::uint64_t> seen_;
};

Samples samples(const py::tuple& arrays) { return Samples(arrays); }

}  // namespace

void register_samples(py::module_& module) {
  py::class_<Samples>(module, "Samples").def("changed", &Samples::changed);
  module.def("samples", &samples);
}

}  // namespace rnnfast
