// A cell as Python names it: by its name, or (name, activations) for one whose activations the call
// chooses, each of `ChoiceFields`.
#pragma once

#include <pybind11/stl.h>

#include <array>
#include <iterator>
#include <optional>
#include <tuple>

#include "bindings/arrays.hpp"

namespace rnnfast {

/// function, alpha, beta, lowest, highest, clip
using ChoiceFields = std::tuple<std::string, double, double, double, double, double>;

inline ActivationChoice activation_choice(const ChoiceFields& of) {
  const auto& [name, alpha, beta, lowest, highest, clip] = of;
  for (std::size_t i = 0; i < std::size(activation_names); ++i) {
    if (name == activation_names[i]) {
      return {static_cast<ActivationFunction>(i), alpha, beta, lowest, highest, clip};
    }
  }
  throw std::invalid_argument("no activation named " + name);
}

class CellChoice {
 public:
  explicit CellChoice(const py::object& cell) {
    if (py::isinstance<py::str>(cell)) {
      number_ = number_in(target().single.fixed.cells, target().single.fixed.count, cell);
      return;
    }
    const py::tuple both = cell;
    const CellTable<float>& table = target().single.chosen;
    number_ = number_in(table.cells, table.count, both[0]);
    activations_.emplace();
    std::size_t i = 0;
    for (const py::handle& one : py::tuple(both[1])) {
      activations_->at(i++) = activation_choice(one.cast<ChoiceFields>());
    }
    // A cell that needs fewer never asks for the others; its last tells as well whether all are the
    // usual ones.
    for (; i < activations_->size(); ++i) (*activations_)[i] = (*activations_)[i - 1];
  }

  template <class T>
  const CellKernels<T>& kernels() const {
    const ScalarKernels<T>& all = kernels_of<T>(target());
    return (activations_ ? all.chosen : all.fixed).cells[number_];
  }

  /// What a call points to, as long as this lives.
  const ActivationChoice* activations() const {
    return activations_ ? activations_->data() : nullptr;
  }

 private:
  static int number_in(const CellKernels<float>* cells, int count, const py::object& name) {
    const auto wanted = name.cast<std::string>();
    for (int i = 0; i < count; ++i) {
      if (wanted == cells[i].name) return i;
    }
    throw std::invalid_argument("no cell named " + wanted);
  }

  int number_ = 0;
  std::optional<std::array<ActivationChoice, most_activations>> activations_;
};

}  // namespace rnnfast
