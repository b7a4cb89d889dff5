// The gradients of the gains and biases of layer normalization:
//
//   dgain[part, unit] = sum over t descending, b ascending of dN[t, b] v^[t, b]
//   dbias[part, unit] = the same of dN[t, b]
//
// in the blocks of the other weight gradients, each summed from zero and added in order.
#pragma once

#include "cpu/layout/norm_weights.hpp"

namespace rnnfast {
namespace {

template <class Cell, class T>
class NormGradients {
  using L = Layout<Cell, T>;
  using V = Vec<T>;

 public:
  explicit NormGradients(const L& layout) : sums_{layout}, block_{layout} {}

  void place(Bump& bump) {
    sums_.place(bump);
    block_.place(bump);
  }

  // Of a share of the groups.

  void begin(const Share& own) const { clear(sums_, own); }
  void begin_block(const Share& own) const { clear(block_, own); }

  /// Adds a step to the block: `rows` of the deltas, and where v^ of each is, by its rank.
  template <class At>
  void add_step(const Slots<Cell, T>& deltas, Span rows, At&& normalized_of,
                const Share& own) const {
    for_own_groups(own, [&](index g) {
      const auto gain = block_.gains().group(0, g);
      const auto bias = block_.biases().group(0, g);
      V of_gain[L::P];
      V of_bias[L::P];
      for (int p = 0; p < L::P; ++p) {
        of_gain[p] = load<T>(gain.part(p));
        of_bias[p] = load<T>(bias.part(p));
      }
      for (index row = rows.begin; row < rows.end; ++row) {
        const auto delta = deltas.group(row, g);
        const auto from = normalized_of(row - rows.begin).group(g);
        for (int p = 0; p < L::P; ++p) {
          const V d = load<T>(delta.part(Cell::delta_of[p]));
          of_gain[p] = fma(d, load<T>(from.part(p)), of_gain[p]);
          of_bias[p] = of_bias[p] + d;
        }
      }
      for (int p = 0; p < L::P; ++p) {
        store(gain.part(p), of_gain[p]);
        store(bias.part(p), of_bias[p]);
      }
    });
  }

  void end_block(const Share& own) const {
    for_own_groups(own, [&](index g) {
      add(sums_.gains().group(0, g), block_.gains().group(0, g));
      add(sums_.biases().group(0, g), block_.biases().group(0, g));
    });
  }

  /// Writes a share to those of the arrays that are there.
  void unpack(const WeightSet<T>& out, const Share& own) const {
    for_own_groups(own, [&](index g) {
      for (int p = 0; p < L::P; ++p) {
        const auto to = sums_.rows_of(out, p);
        const index at = g * L::N;
        const index valid = sums_.layout.valid(g);
        if (to.gain) store_first(to.gain + at, load<T>(sums_.gains().group(0, g).part(p)), valid);
        if (to.bias) store_first(to.bias + at, load<T>(sums_.biases().group(0, g).part(p)), valid);
      }
    });
  }

 private:
  template <class Body>
  void for_own_groups(const Share& own, Body&& body) const {
    const Span groups = own.of(sums_.layout.groups());
    for (index g = groups.begin; g < groups.end; ++g) body(g);
  }

  void clear(const NormWeights<Cell, T>& sums, const Share& own) const {
    for_own_groups(own, [&](index g) {
      for (int p = 0; p < L::P; ++p) {
        store(sums.gains().group(0, g).part(p), V{});
        store(sums.biases().group(0, g).part(p), V{});
      }
    });
  }

  static void add(SlotGroup<T> to, SlotGroup<T> block) {
    for (int p = 0; p < L::P; ++p) {
      store(to.part(p), load<T>(to.part(p)) + load<T>(block.part(p)));
    }
  }

  NormWeights<Cell, T> sums_;  // laid out as the weights are
  NormWeights<Cell, T> block_;
};

}  // namespace
}  // namespace rnnfast
