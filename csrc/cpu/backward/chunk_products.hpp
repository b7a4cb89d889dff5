// What follows once the deltas of a chunk are complete: dx, and the gradients of all weights. K of
// these is the chunk's rows, in the order in which they are summed.
#pragma once

#include "cpu/backward/norm_products.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
class ChunkProducts {
  using L = Layout<Shape, T>;
  using Work = BackwardWorkspace<Shape, T>;

 public:
  explicit ChunkProducts(BackwardContext<Shape, T>& of)
      : of_(of), call_(of.call), history_(of.history), work_(of.work), layout_(of.work.layout) {}

  /// Where this chunk's rows lie in x, dx and the history, of a share of its steps.
  void list_rows(Span steps, const Share& own) {
    const Span back = own.of(steps.size());
    const Span listed = {steps.end - back.end, steps.end - back.begin};
    index first = work_.first_row({listed.end, steps.end});
    const Span all = {0, call_.dims.rows};
    for (index step = listed.end - 1; step >= listed.begin; --step) {
      for (index r = all.begin; r < all.end; ++r) {
        const SequenceRow& of = work_.sequences[r];
        if (of.length <= step) continue;
        const index row = first + work_.places[r];
        const index t = of.first + step;
        const Sequence<T>& dx = call_.out.x;
        work_.x_offsets[row] = t * call_.x.step_stride + of.sequence * call_.x.row_stride;
        work_.dx_offsets[row] = t * dx.step_stride + of.sequence * dx.row_stride;
        const index kept = step - history_.steps.begin;
        work_.state_numbers[row] = kept * history_.step_stride() + work_.state_rows[r];
        if constexpr (Normalized<Shape>) {
          work_.normalized_rows[row] = normalized_row(of_, step, r);
        }
      }
      first += work_.first_row({step, step + 1});
    }
  }

  /// dx of a share of the rows.
  void input_product(const Slots<Shape, T>& deltas, const Share& own) {
    const DeltaWeights<Shape, T>& weights = work_.input_weights;
    constexpr index stride = DeltaWeights<Shape, T>::block_lanes;
    T* const scratch = work_.dx + own.id * Work::dx_rows * stride;
    const Span rows = own.of(deltas.rows);
    for (index first = rows.begin; first < rows.end; first += Work::dx_rows) {
      const index count = smaller(Work::dx_rows, rows.end - first);
      const SlotOperand<Shape, T> operand = {deltas, Shape::input, first, work_.numbers};
      for (index block = 0; block < weights.blocks(); ++block) {
        const index column = block * stride;
        const index columns = smaller(stride, call_.dims.inputs - column);
        multiply<Plain<T>>(operand, weights.block(block), {0, weights.width(block)},
                           {work_.zeros, work_.numbers, 0}, {scratch, work_.numbers, stride}, count,
                           [&](index row, index some) {
                             for (index i = row; i < row + some; ++i) {
                               T* dx = call_.out.x.data + work_.dx_offsets[first + i] + column;
                               __builtin_memcpy(dx, scratch + i * stride,
                                                static_cast<std::size_t>(columns) * sizeof(T));
                             }
                           });
        own.worked(count * columns * weights.length());
      }
    }
  }

  /// A share of all weight gradients.
  void weight_gradients(const Slots<Shape, T>& deltas, Span steps, const Share& own) {
    for_blocks(of_, steps, [&](Span rows, SumSoFar so_far) {
      add_block(work_.sums, deltas, rows, so_far, own);
    });
  }

  /// All weight gradients of a share of the sequences, each by itself; the chunk has all steps.
  void gradients_of_sequences(const Slots<Shape, T>& deltas, const Share& own) {
    const GradientSums<Shape, T> sums = work_.sums_of(own);
    const Share whole = {0, 1, own.worker};
    for_sequences(of_, own, [&](Span rows, const WeightSet<T>& to) {
      add_block(sums, deltas, rows, SumSoFar::nothing, whole);
      sums.unpack(to, whole);
    });
  }

 private:
  void add_block(const GradientSums<Shape, T>& sums, const Slots<Shape, T>& deltas, Span rows,
                 SumSoFar so_far, const Share& own) {
    for_each_gradient(
        sums, deltas, own,
        [&](const auto& gradient, Span strips, const auto& slots, const Rows<const T>& operand) {
          gradient.add_block(slots, operand, rows, strips, so_far, own);
        });
    add_unit_gradients(sums, deltas, rows, so_far, own);
  }

  void add_unit_gradients(const GradientSums<Shape, T>& sums, const Slots<Shape, T>& deltas,
                          Span rows, SumSoFar so_far, const Share& own) {
    if constexpr (unit_weights_of<Shape>() > 0) {
      const Span groups = own.of(layout_.groups());
      const T* const c = history_.c_at(history_.steps.begin);
      sums.of_units.add_block(deltas, {c, work_.state_numbers, layout_.row()},
                              {work_.new_c, work_.numbers, layout_.row()}, rows, groups, so_far);
      own.worked(rows.size() * groups.size() * L::N);
    }
  }

  /// Calls body(gradient, the strips of a share, the slots of its deltas, the rows of its operand).
  /// All gradients' strips are shared out together, so that few of one kind do not idle a worker.
  template <class Body>
  void for_each_gradient(const GradientSums<Shape, T>& sums, const Slots<Shape, T>& deltas,
                         const Share& own, Body&& body) {
    index total = sums.input.strips() + sums.projection.strips();
    for (const auto& gradient : sums.recurrent) total += gradient.strips();
    const Span mine = own.of(total);
    index first = 0;
    const auto visit = [&](const auto& gradient, const auto& slots, const Rows<const T>& operand) {
      const index end = first + gradient.strips();
      const Span strips = {larger(mine.begin, first) - first, smaller(mine.end, end) - first};
      if (strips.begin < strips.end) body(gradient, strips, slots, operand);
      first = end;
    };
    const index first_step = history_.steps.begin;
    visit(sums.input, deltas, {call_.x.data, work_.x_offsets, 1});
    for (int p = 0; p < Shape::phases; ++p) {
      visit(sums.recurrent[p], deltas,
            {history_.operand_at(p, first_step), work_.state_numbers, work_.outputs.row()});
    }
    visit(sums.projection, work_.d_output_slots(deltas.rows),
          {history_.m_at(first_step), work_.state_numbers, layout_.row()});
  }

  const BackwardContext<Shape, T>& of_;
  const BackwardCall<T>& call_;
  const History<Shape, T>& history_;
  Work& work_;
  const L& layout_;
};

}  // namespace
}  // namespace rnnfast
