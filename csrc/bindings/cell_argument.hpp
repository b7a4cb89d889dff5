// A cell as Python names it: by its name, or (name, activations) for one whose activations the call
// chooses, each of `ChoiceFields`.
#pragma once

#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <vector>

#include "api/cell_spec.hpp"
#include "bindings/arrays.hpp"

namespace rnnfast {

/// function, alpha, beta, lowest, highest, clip
using ChoiceFields = std::tuple<std::string, double, double, double, double, double>;

inline ActivationChoice activation_choice(const ChoiceFields& of) {
  const auto& [name, alpha, beta, lowest, highest, clip] = of;
  return {activation_named(name), alpha, beta, lowest, highest, clip};
}

inline CellSpec cell_spec(const py::object& cell) {
  if (py::isinstance<py::str>(cell)) return CellSpec(cell.cast<std::string>());
  const py::tuple both = cell;
  std::vector<ActivationChoice> activations;
  for (const py::handle& one : py::tuple(both[1])) {
    activations.push_back(activation_choice(one.cast<ChoiceFields>()));
  }
  return CellSpec(both[0].cast<std::string>(), activations);
}

}  // namespace rnnfast
