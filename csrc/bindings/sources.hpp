// Whether tensors that something was made from are still what they were.
#pragma once

#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include "base/fingerprint.hpp"
#include "bindings/gil.hpp"
#include "bindings/tensors.hpp"

namespace rnnfast {

/// Where tensors lie, in which form, and how often the framework has seen them change. What writes
/// past the framework, through other views of the same memory, is not seen.
class Versions {
 public:
  /// Raises ValueError for a tensor that cannot be read as one piece of memory.
  Versions(const Exchange& exchange, const py::tuple& tensors)
      : exchange_(exchange), versions_(tensors.size()) {
    for (std::size_t i = 0; i < versions_.size(); ++i) {
      if (!look(tensors[i], versions_[i]))
        throw std::invalid_argument("a tensor does not lie in one piece of memory");
      memory_.push_back(versions_[i].memory);
    }
  }

  bool hold(const py::tuple& tensors) const {
    if (tensors.size() != versions_.size()) return false;
    for (std::size_t i = 0; i < versions_.size(); ++i) {
      Version now;
      if (!look(tensors[i], now) || now != versions_[i]) return false;
    }
    return true;
  }

  const std::vector<Memory>& memory() const { return memory_; }

 private:
  static constexpr int axes = 2;  // of weights

  struct Version {
    Memory memory;
    int bits = 0;  // of an element
    Shape shape;
    std::optional<long> count;  // none where the framework does not count, as in inference mode
    bool operator==(const Version&) const = default;
  };

  bool look(py::handle tensor, Version& version) const {
    TensorView view;
    if (!exchange_.look(tensor, view) || !view.is_dense()) return false;
    if (view.shape.axes > axes) return false;
    version.bits = view.type.bits;
    version.shape = view.shape;
    index count = 1;
    for (const index size :
         std::span(view.shape.sizes).first(static_cast<std::size_t>(view.shape.axes))) {
      count *= size;
    }
    version.memory = {static_cast<const char*>(view.data),
                      static_cast<std::size_t>(count) * view.type.bits / 8};
    PyObject* const seen = PyObject_GetAttr(tensor.ptr(), version_.ptr());
    if (seen) {
      version.count = PyLong_AsLong(seen);
      Py_DECREF(seen);
    } else {
      PyErr_Clear();
    }
    return true;
  }

  const Exchange& exchange_;  // which outlives this
  py::str version_{"_version"};
  std::vector<Version> versions_;
  std::vector<Memory> memory_;
};

/// The same, and every byte: whoever writes is seen.
class Contents {
 public:
  Contents(const Exchange& exchange, const py::tuple& tensors)
      : versions_(exchange, tensors), fingerprint_(read()) {}

  bool hold(const py::tuple& tensors) const {
    return versions_.hold(tensors) && read() == fingerprint_;
  }

 private:
  std::uint64_t read() const {
    // Other Python threads run meanwhile, as during a kernel, unless it is over at once.
    const auto look = [&] { return fingerprint(versions_.memory()); };
    return is_large() ? without_gil(look) : look();
  }

  bool is_large() const {
    std::size_t bytes = 0;
    for (const Memory& memory : versions_.memory()) bytes += memory.bytes;
    return bytes > fingerprint_block;
  }

  Versions versions_;
  std::uint64_t fingerprint_;
};

}  // namespace rnnfast
