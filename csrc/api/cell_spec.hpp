// Which cell a call runs: its name and, where the call chooses them, its activations.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "cpu/plan/plan.hpp"
#include "math/activation_choice.hpp"

namespace rnnfast {

/// Throws std::invalid_argument for a name that is none.
ActivationFunction activation_named(std::string_view name);

class CellSpec {
 public:
  /// A cell of fixed activations. Throws std::invalid_argument for a name that is none.
  explicit CellSpec(std::string_view name);
  /// One whose activations the call chooses, in ONNX's order. The last one given stands for those
  /// that are not.
  CellSpec(std::string_view name, std::span<const ActivationChoice> activations);

  const char* name() const { return name_; }
  /// Its place in the list of cells of its kind (cells/registry.hpp).
  int number() const { return number_; }
  bool chooses() const { return chooses_; }
  /// [most_activations], as long as this lives; null unless it chooses.
  const ActivationChoice* activations() const { return chooses_ ? activations_.data() : nullptr; }

 private:
  const char* name_;
  int number_;
  bool chooses_;
  std::array<ActivationChoice, most_activations> activations_ = {};
};

/// What there is to know of a cell by its name. Sizes among its traits are those of float32.
struct KnownCell {
  const char* name;
  CellTraits traits;
  bool fixed;   // whether it has activations of its own
  bool chosen;  // whether a call may choose them
  bool sparse;  // whether its W_hh may be
};

std::vector<KnownCell> known_cells();

}  // namespace rnnfast
