// The gradients of the gains and biases of layer normalization:
//
//   dgain[part, unit] = sum of dN[t, b] v^[t, b]
//   dbias[part, unit] = sum of dN[t, b]
#pragma once

#include "cpu/backward/unit_sums.hpp"
#include "cpu/layout/norm_weights.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
class NormGradients {
  using L = Layout<Shape, T>;

 public:
  NormGradients(const L& layout, const WeightSet<T>& out)
      : of_{layout},
        wanted_(out[WeightId::of_norms] || out[WeightId::b_ih] || out[WeightId::b_hh]) {}

  void place(Bump& bump) {
    if (wanted_) sums_.place(bump, of_.layout.groups());
  }

  index groups() const { return of_.layout.groups(); }

  /// Adds the rows [rows.begin, rows.end) of a chunk, one block, to some groups. `normalized` has
  /// the v^ of each row.
  void add_block(const Slots<Shape, T>& deltas, const SlotRow<Shape, T>* normalized, Span rows,
                 Span groups, SumSoFar so_far) const {
    if (!wanted_) return;
    sums_.add_block(rows, groups, so_far, [&](index row, index group, auto& sum) {
      const SlotGroup<T> delta = deltas.group(row, group);
      const SlotGroup<T> from = normalized[row].group(group);
      for (int p = 0; p < L::P; ++p) {
        const Vec<T> d = load<T>(delta.part(Shape::delta_of[p]));
        sum[p] = fma(d, load<T>(from.part(p)), sum[p]);
        sum[L::P + p] = sum[L::P + p] + d;
      }
    });
  }

  /// Writes some groups to those of the arrays that are there.
  void unpack(const WeightSet<T>& out, Span groups) const {
    if (!wanted_) return;
    for (index group = groups.begin; group < groups.end; ++group) {
      const index at = group * L::N;
      const index valid = of_.layout.valid(group);
      for (int p = 0; p < L::P; ++p) {
        const auto to = of_.rows_of(out, p);
        if (to.gain) store_first(to.gain + at, sums_.sum(group, p), valid);
        if (to.bias) store_first(to.bias + at, sums_.sum(group, L::P + p), valid);
      }
    }
  }

 private:
  NormWeights<Shape, T> of_;  // whose rows of the caller's arrays these are
  bool wanted_;
  UnitSums<T, 2 * static_cast<int>(L::P)> sums_;
};

}  // namespace
}  // namespace rnnfast
