// What of layer normalization follows once the deltas of a chunk are complete: the gradients of
// gains and biases, then the deltas of the input product, through its norms.
#pragma once

#include "cpu/backward/product_workspace.hpp"
#include "cpu/epilogue/layer_norm.hpp"

namespace rnnfast {
namespace {

/// What the forward pass has kept of a row at a step: v^, and what it was scaled by.
template <class Shape, class T>
inline SlotRow<Shape, T> normalized_row(const BackwardContext<Shape, T>& of, index step, index r) {
  return of.history.slots_of(step).row(of.history.step_row(step) + of.work.gate_rows[r]);
}
template <class Shape, class T>
inline const T* scales_at(const BackwardContext<Shape, T>& of, index step, index r) {
  return of.history.scales_of(step) + of.work.gate_rows[r] * scales<Shape>();
}

/// From the deltas of parts as the cell sees them to those of the `product` that they come from.
template <Range product, class Shape, class T>
inline void back_through(const BackwardContext<Shape, T>& of, index step, index r,
                         const SlotRow<Shape, T>& normalized, const SlotRow<Shape, T>& delta) {
  for_each_norm<Shape>([&](auto norm) {
    constexpr Range parts = Shape::norm[norm.value];
    if constexpr (product.has(parts.begin)) {
      back_through_norm<parts>(
          of.work.norm, scales_at(of, step, r)[norm.value], normalized, delta,
          [&](index group, int part, Vec<T> d) { store(delta.group(group).part(part), d); });
    }
  });
}

template <class Shape, class F>
class NormProducts {
  using T = typename F::Sum;
  using L = Layout<Shape, T>;

 public:
  NormProducts(const BackwardContext<Shape, T>& of, const ProductWorkspace<Shape, F>& products)
      : of_(of), work_(of.work), products_(products), layout_(of.work.layout) {}

  /// Adds a chunk to a share of the gradients of gains and biases, in blocks.
  void add_gradients(const Slots<Shape, T>& deltas, Span steps, const Share& own) const {
    for_blocks(of_, steps, [&](Span rows, SumSoFar so_far) {
      add_block(products_.sums, deltas, rows, so_far, own);
    });
  }

  /// The same gradients of a share of the sequences, each by itself.
  void gradients_of_sequences(const Slots<Shape, T>& deltas, const Share& own) const {
    const GradientSums<Shape, F> sums = products_.sums_of(own);
    const Share whole = {0, 1, own.worker};
    for_sequences(of_, own, [&](Span rows, const WeightSet<T>& to) {
      add_block(sums, deltas, rows, SumSoFar::nothing, whole);
      sums.unpack_norms(to, whole);
    });
  }

  void back_through_input_norms(const Slots<Shape, T>& deltas, Span steps, const Share& own) const {
    index first = 0;
    for (index step = steps.end - 1; step >= steps.begin; --step) {
      const Span ranks = own.of(work_.active[step]);
      for (index rank = ranks.begin; rank < ranks.end; ++rank) {
        const index r = work_.rows_by_rank[rank];
        const index row = first + work_.places[r];
        const SlotRow<Shape, T> delta = deltas.row(row);
        back_through<Shape::input>(of_, step, r, normalized_row(of_, step, r), delta);
        make_operands(deltas, row, products_.operands(deltas), row, {0, layout_.groups()});
      }
      own.worked(ranks.size() * layout_.groups() * L::P * L::N);
      first += work_.first_row({step, step + 1});
    }
  }

 private:
  void add_block(const GradientSums<Shape, F>& sums, const Slots<Shape, T>& deltas, Span rows,
                 SumSoFar so_far, const Share& own) const {
    const Span groups = own.of(layout_.groups());
    sums.of_norms.add_block(deltas, work_.normalized_rows, rows, groups, so_far);
    own.worked(rows.size() * groups.size() * L::P * L::N);
  }

  const BackwardContext<Shape, T>& of_;
  const BackwardWorkspace<Shape, T>& work_;
  const ProductWorkspace<Shape, F>& products_;
  const L& layout_;
};

}  // namespace
}  // namespace rnnfast
