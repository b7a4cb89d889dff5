#include "api/cell_spec.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>

#include "cpu/dispatch/dispatch.hpp"

namespace rnnfast {
namespace {

// A list has the same cells in every scalar type.
CellTable<float> fixed_cells() { return target().single.fixed; }
CellTable<float> chosen_cells() { return target().single.chosen; }

int number_in(const CellTable<float>& table, std::string_view name) {
  for (int i = 0; i < table.count; ++i) {
    if (name == table.cells[i].name) return i;
  }
  throw std::invalid_argument("no cell named " + std::string(name));
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

CellSpec::CellSpec(std::string_view name)
    : number_(number_in(fixed_cells(), name)), chooses_(false) {
  name_ = fixed_cells().cells[number_].name;
}

CellSpec::CellSpec(std::string_view name, std::span<const ActivationChoice> activations)
    : number_(number_in(chosen_cells(), name)), chooses_(true) {
  name_ = chosen_cells().cells[number_].name;
  if (activations.empty() || activations.size() > activations_.size()) {
    throw std::invalid_argument("a call chooses from 1 to " + std::to_string(most_activations) +
                                " activations, got " + std::to_string(activations.size()));
  }
  // A cell that needs fewer never asks for the others; its last tells as well whether all are the
  // usual ones.
  activations_.fill(activations.back());
  std::copy(activations.begin(), activations.end(), activations_.begin());
}

std::vector<KnownCell> known_cells() {
  std::vector<KnownCell> known;
  for (int i = 0; i < fixed_cells().count; ++i) {
    const CellKernels<float>& cell = fixed_cells().cells[i];
    known.push_back({cell.name, cell.traits, true, false});
  }
  for (int i = 0; i < chosen_cells().count; ++i) {
    const CellKernels<float>& cell = chosen_cells().cells[i];
    const auto same = std::find_if(known.begin(), known.end(), [&](const KnownCell& one) {
      return std::string_view(one.name) == cell.name;
    });
    if (same == known.end()) {
      known.push_back({cell.name, cell.traits, false, true});
    } else {
      same->chosen = true;
    }
  }
  return known;
}

}  // namespace rnnfast
