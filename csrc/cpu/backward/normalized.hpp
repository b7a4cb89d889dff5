// The backward pass of cells with layer normalization, where it differs:
//
//   for each step, row by row:   dL/dc through the norm of c;  deltas of the parts as the cell sees
//                                them;  deltas of the recurrent product, through its norm
//   for each chunk, before its products:   gradients of gains and biases;  deltas of the input
//                                product, through its norm
#pragma once

#include "cpu/backward/workspace.hpp"
#include "cpu/epilogue/layer_norm.hpp"
#include "cpu/epilogue/zoneout.hpp"

namespace rnnfast {
namespace {

template <class Cell, class T>
class NormalizedBackward {
  using L = Layout<Cell, T>;
  using V = Vec<T>;

 public:
  /// Of a pass, whose own copies of all this it reads.
  NormalizedBackward(const Cell& cell, const BackwardCall<T>& call,
                     const History<Cell, T, KeepAll>& history,
                     const BackwardWorkspace<Cell, T>& work, const Sequence<const T>& dy)
      : cell_(cell), call_(call), history_(history), work_(work), layout_(work.layout), dy_(dy) {}

  /// Deltas of private `rows` of a step, whose own begin at `first`.
  void cell_backward(const Slots<Cell, T>& deltas, index step, index first, Span rows) const {
    call_.masks.kept_h.data ? rows_backward<Zoneout<T>>(deltas, step, first, rows)
                            : rows_backward<NoZoneout<T>>(deltas, step, first, rows);
  }

  /// Adds a chunk to a share of the gradients of gains and biases, in blocks.
  void add_gradients(const Slots<Cell, T>& deltas, Span steps, const Share& own) const {
    const WeightSet<T>& out = call_.out.weights;
    if (!out[WeightId::of_norms] && !out[WeightId::b_ih] && !out[WeightId::b_hh]) return;
    index first = 0;
    for (index end = steps.end; end > steps.begin; end -= work_.plan.block_steps) {
      const index begin = larger(steps.begin, end - work_.plan.block_steps);
      work_.norm_gradients.begin_block(own);
      for (index step = end - 1; step >= begin; --step) {
        work_.norm_gradients.add_step(
            deltas, {first, first + work_.active[step]},
            [&](index rank) { return normalized_row(step, work_.rows_by_rank[rank]); }, own);
        first += work_.active[step];
        own.worked(work_.active[step] * layout_.groups() * L::P * L::N);
      }
      work_.norm_gradients.end_block(own);
    }
  }

  void back_through_input_norms(const Slots<Cell, T>& deltas, Span steps, const Share& own) const {
    index first = 0;
    for (index step = steps.end - 1; step >= steps.begin; --step) {
      const Span ranks = own.of(work_.active[step]);
      for (index rank = ranks.begin; rank < ranks.end; ++rank) {
        const index r = work_.rows_by_rank[rank];
        const SlotRow<Cell, T> delta = deltas.row(first + rank);
        back_through<Cell::input>(step, r, normalized_row(step, r), delta);
      }
      own.worked(ranks.size() * layout_.groups() * L::P * L::N);
      first += work_.active[step];
    }
  }

 private:
  template <class Zone>
  [[gnu::flatten]] void rows_backward(const Slots<Cell, T>& deltas, index step, index first,
                                      Span rows) const {
    for (index r = rows.begin; r < rows.end; ++r) {
      const SlotRow<Cell, T> normalized = normalized_row(step, r);
      const SlotRow<Cell, T> delta = deltas.row(first + work_.ranks[r]);
      const Zone zone(call_.masks, work_.sequences[r], step);
      if constexpr (NormalizesMemory<Cell>) output_backward(step, r, normalized, delta, zone);
      gates_backward(step, r, normalized, delta, zone);
      back_through<Cell::phase[0]>(step, r, normalized, delta);
    }
  }

  SlotRow<Cell, T> normalized_row(index step, index r) const {
    return history_.slots_of(step).row(history_.step_row(step) + work_.gate_rows[r]);
  }
  const T* scales_at(index step, index r) const {
    return history_.scales_of(step) + work_.gate_rows[r] * scales<Cell>();
  }

  /// From the deltas of parts as the cell sees them to those of the `product` that they come from.
  template <Range product>
  void back_through(index step, index r, const SlotRow<Cell, T>& normalized,
                    const SlotRow<Cell, T>& delta) const {
    for_each_norm<Cell>([&](auto norm) {
      constexpr Range parts = Cell::norm[norm.value];
      if constexpr (product.has(parts.begin)) {
        back_through_norm<parts>(
            work_.norm, scales_at(step, r)[norm.value], normalized, delta,
            [&](index group, int part, V d) { store(delta.group(group).part(part), d); });
      }
    });
  }

  /// Parts as the cell sees them, and its gates.
  void parts_and_gates(const SlotRow<Cell, T>& normalized, index group, V (&part)[L::P],
                       V (&gate)[Cell::gates]) const {
    const auto from = normalized.group(group);
    for (int p = 0; p < L::P; ++p) part[p] = load<T>(from.part(p));
    scale_and_shift<Range{0, L::P}>(work_.norm, group, part);
    cell_.activate(part, gate);
  }

  V dh_with_dy(index step, index r, index group) const {
    const SequenceRow& of = work_.sequences[r];
    const T* const dy =
        dy_.data + (of.first + step) * dy_.step_stride + of.sequence * dy_.row_stride;
    return load(work_.dh + work_.d_rows[r] * layout_.row() + group * L::N) +
           load_group(dy, layout_, group);
  }

  /// From dL/dh to what is added to dL/dc. Leaves in dh what passes the step by; and that of c, and
  /// the gates, in parts of the deltas that are not known yet.
  template <class Zone>
  void output_backward(index step, index r, const SlotRow<Cell, T>& normalized,
                       const SlotRow<Cell, T>& deltas, const Zone& zone) const {
    const index d_at = work_.d_rows[r] * layout_.row();
    for (index group = 0; group < layout_.groups(); ++group) {
      V part[L::P];
      V gate[Cell::gates];
      parts_and_gates(normalized, group, part, gate);
      State<V> d = {dh_with_dy(step, r, group), load(work_.dc + d_at + group * L::N)};
      const State<V> passed = zone.split(d, layout_, group);
      V delta[L::P] = {};
      cell_.backward_output(gate, part[Cell::memory_part], d.h, delta);
      delta[Cell::input.begin] = passed.c;
      for (int g = 0; g < Cell::gates; ++g) delta[Cell::phase[0].begin + g] = gate[g];
      store_deltas<Cell, T>(deltas.group(group), {0, L::P}, delta, layout_.valid(group));
      State<V> past = {V{}, V{}};
      zone.add(past, passed);
      store(work_.dh + d_at + group * L::N, past.h);
      store(work_.dc + d_at + group * L::N, d.c);
    }
    constexpr Range memory = {Cell::memory_part, Cell::memory_part + 1};
    back_through_norm<memory>(work_.norm, scales_at(step, r)[Cell::norms], normalized, deltas,
                              [&](index group, int, V d) {
                                T* const dc = work_.dc + d_at + group * L::N;
                                store(dc, load(dc) + d);
                              });
  }

  template <class Zone>
  void gates_backward(index step, index r, const SlotRow<Cell, T>& normalized,
                      const SlotRow<Cell, T>& deltas, const Zone& zone) const {
    const index at = work_.state_rows[r] * layout_.row();
    const index d_at = work_.d_rows[r] * layout_.row();
    for (index group = 0; group < layout_.groups(); ++group) {
      V part[L::P];
      V gate[Cell::gates];
      State<V> prev = {load(history_.h_at(step) + at + group * L::N), V{}};
      State<V> d = {V{}, V{}};
      State<V> passed = {V{}, V{}};
      V delta[L::P];
      const auto slot = deltas.group(group);
      if constexpr (NormalizesMemory<Cell>) {
        for (int g = 0; g < Cell::gates; ++g)
          gate[g] = load<T>(slot.part(Cell::phase[0].begin + g));
        prev.c = load(history_.c_at(step) + at + group * L::N);
        d.c = load(work_.dc + d_at + group * L::N);
        passed = {load(work_.dh + d_at + group * L::N), load<T>(slot.part(Cell::input.begin))};
        for (int p = Cell::input.begin + 1; p < L::P; ++p) delta[p] = load<T>(slot.part(p));
      } else {
        parts_and_gates(normalized, group, part, gate);
        d.h = dh_with_dy(step, r, group);
        passed = zone.split(d, layout_, group);
      }
      cell_.backward(part, gate, prev, d, delta);
      store_deltas<Cell, T>(slot, {Cell::input.begin, L::P}, delta, layout_.valid(group));
      store(work_.dh + d_at + group * L::N, d.h + passed.h);
      if constexpr (Cell::has_memory) store(work_.dc + d_at + group * L::N, d.c + passed.c);
    }
  }

  const Cell& cell_;
  const BackwardCall<T>& call_;
  const History<Cell, T, KeepAll>& history_;
  const BackwardWorkspace<Cell, T>& work_;
  const L& layout_;
  const Sequence<const T>& dy_;
};

}  // namespace
}  // namespace rnnfast
