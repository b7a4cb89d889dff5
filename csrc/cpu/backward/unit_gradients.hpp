// The gradients of weights that are a number for each unit, beside c in a pre-activation:
//
//   dw[unit] = sum of delta[t, b][unit] c[t, b][unit]        c before the step, or after it
#pragma once

#include "cpu/backward/unit_sums.hpp"
#include "cpu/layout/unit_weights.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
class UnitGradients {
  using L = Layout<Shape, T>;
  static constexpr int weights = unit_weights_of<Shape>();

 public:
  UnitGradients(const L& layout, bool wanted) : layout_(layout), wanted_(weights > 0 && wanted) {}

  void place(Bump& bump) {
    if (wanted_) sums_.place(bump, layout_.groups());
  }

  index groups() const { return layout_.groups(); }

  /// Adds the rows [rows.begin, rows.end) of a chunk, one block, to some groups. `c` and `new_c`
  /// are those before and after the step of each row.
  void add_block(const Slots<Shape, T>& deltas, Rows<const T> c, Rows<const T> new_c, Span rows,
                 Span groups, SumSoFar so_far) const {
    if (!wanted_) return;
    sums_.add_block(rows, groups, so_far, [&](index row, index group, auto& sum) {
      const SlotGroup<T> delta = deltas.group(row, group);
      const Vec<T> before = load(c.at(row) + group * L::N);
      const Vec<T> after = load(new_c.at(row) + group * L::N);
      for (int i = 0; i < weights; ++i) {
        const Vec<T> d = load<T>(delta.part(Shape::unit_weight_part[i]));
        sum[i] = fma(d, Shape::meets_new_c[i] ? after : before, sum[i]);
      }
    });
  }

  /// Writes some groups to dw (U*H,).
  void unpack(T* dw, Span groups) const {
    if (!wanted_) return;
    for (index group = groups.begin; group < groups.end; ++group) {
      for (int i = 0; i < weights; ++i) {
        store_first(dw + i * layout_.units + group * L::N, sums_.sum(group, i),
                    layout_.valid(group));
      }
    }
  }

 private:
  L layout_;
  bool wanted_;
  UnitSums<T, larger(weights, 1)> sums_;
};

}  // namespace
}  // namespace rnnfast
