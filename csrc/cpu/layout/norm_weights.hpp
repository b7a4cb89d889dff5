// Gains and biases of layer normalization (cpu/epilogue/layer_norm.hpp), of all parts, where the
// slots have them; their gradients lie alike.
#pragma once

#include "base/team.hpp"
#include "call/weights.hpp"
#include "cells/cell.hpp"
#include "cpu/layout/layout.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
struct NormWeights {
  using L = Layout<Shape, T>;
  L layout;
  T* gain = nullptr;  // [panel][P][U][N]
  T* bias = nullptr;  // the same

  void place(Bump& bump) {
    gain = bump.take<T>(layout.slots(1));
    bias = bump.take<T>(layout.slots(1));
  }

  Slots<Shape, T> gains() const { return {layout, gain, 1}; }
  Slots<Shape, T> biases() const { return {layout, bias, 1}; }

  /// The rows of the caller's arrays that belong to a part: of the gains, and of its bias.
  template <class Element>
  struct Rows {
    Element* gain;
    Element* bias;  // null: none
  };
  template <class Element>
  Rows<Element> rows_of(const WeightSet<Element>& arrays, int part) const {
    const index H = layout.units;
    const index gate = Shape::gate_of[part] * H;
    Element* const gains = arrays[WeightId::of_norms];
    const auto after = [](Element* array, index at) { return array ? array + at : nullptr; };
    if (Shape::input.has(part)) return {after(gains, gate), after(arrays[WeightId::b_ih], gate)};
    if (Shape::phase[0].has(part)) {
      return {after(gains, Shape::gates * H + gate), after(arrays[WeightId::b_hh], gate)};
    }
    if constexpr (NormalizesMemory<Shape>) {
      return {after(gains, 2 * Shape::gates * H), after(gains, (2 * Shape::gates + 1) * H)};
    }
    return {nullptr, nullptr};
  }

  /// Packs a share of the groups.
  void pack(const WeightSet<const T>& weights, const Share& own) const {
    const Span groups = own.of(layout.groups());
    for (index g = groups.begin; g < groups.end; ++g) {
      const auto to_gain = gains().group(0, g);
      const auto to_bias = biases().group(0, g);
      for (int p = 0; p < Shape::parts; ++p) {
        const auto from = rows_of(weights, p);
        store(to_gain.part(p), read(from.gain, g));
        store(to_bias.part(p), read(from.bias, g));
      }
    }
  }

 private:
  Vec<T> read(const T* from, index g) const {
    return from ? load_group(from, layout, g) : Vec<T>{};
  }
};

}  // namespace
}  // namespace rnnfast
