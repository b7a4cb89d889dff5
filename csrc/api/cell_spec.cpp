#include "api/cell_spec.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>

#include "cells/registry.hpp"

namespace rnnfast {
namespace {

// Every backend has these cells, whatever processor this is compiled for.
#define NAME_CELL(name, ...) name,
constexpr const char* fixed_names[] = {RNNFAST_CELLS(NAME_CELL)};
constexpr const char* chosen_names[] = {RNNFAST_CHOSEN_CELLS(NAME_CELL)};
#undef NAME_CELL

int number_in(std::span<const char* const> names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::invalid_argument("no cell named " + std::string(name));
  return static_cast<int>(found - names.begin());
}

}  // namespace

ActivationFunction activation_named(std::string_view name) {
  const auto* const found =
      std::find(std::begin(activation_names), std::end(activation_names), name);
  if (found == std::end(activation_names)) {
    throw std::invalid_argument("no activation named " + std::string(name));
  }
  return static_cast<ActivationFunction>(found - std::begin(activation_names));
}

CellSpec::CellSpec(std::string_view name) : number_(number_in(fixed_names, name)), chooses_(false) {
  name_ = fixed_names[number_];
}

CellSpec::CellSpec(std::string_view name, std::span<const ActivationChoice> activations)
    : number_(number_in(chosen_names, name)), chooses_(true) {
  name_ = chosen_names[number_];
  if (activations.empty() || activations.size() > activations_.size()) {
    throw std::invalid_argument("a call chooses from 1 to " + std::to_string(most_activations) +
                                " activations, got " + std::to_string(activations.size()));
  }
  // A cell that needs fewer never asks for the others; its last tells as well whether all are the
  // usual ones.
  activations_.fill(activations.back());
  std::copy(activations.begin(), activations.end(), activations_.begin());
}

}  // namespace rnnfast
