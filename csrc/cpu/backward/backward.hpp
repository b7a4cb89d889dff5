// The backward pass: the forward pass in reverse.
//
//   for each chunk of steps, from the last:
//     for each step, from the last:
//       dm    = (dh + dy) W_hr                               where h is a projection of m
//       delta = the cell's backward of (dh + dy or dm, dc)   while the tile of either is in L1
//       dh    = direct share + delta W_hh                    one product a phase
//     dx      = delta W_ih                                   one product over (step, row)
//     dW_ih  += delta^T x,  dW_hh += delta^T h_prev          K = rows of the chunk
//     dW_hr  += (dh + dy)^T m
//     dp     += delta * c                                    of weights of units
//
// A chunk's deltas lie in the order in which weight gradients are summed: its last step first, and
// of each step the sequences that take part, by rank. Going backwards they set in one by one, each
// at its own last step. Where each sequence has gradients of its own, they lie sequence after
// sequence, of each its last step first.
#pragma once

#include <cassert>

#include "cpu/backward/cell_backward.hpp"
#include "cpu/backward/chunk_products.hpp"
#include "cpu/epilogue/resets.hpp"
#include "cpu/epilogue/zoneout.hpp"
#include "cpu/layout/states.hpp"
#include "cpu/plan/ownership.hpp"

namespace rnnfast {
namespace {

template <class Shape, class F>
class BackwardPass {
  using T = typename F::Sum;
  using L = Layout<Shape, T>;
  using V = Vec<T>;
  using Work = BackwardWorkspace<Shape, T>;

 public:
  [[gnu::noinline]] BackwardPass(BackwardContext<Shape, T>& of,
                                 const ProductWorkspace<Shape, F>& products,
                                 const CellBackward<Shape, T>& cell, Worker& worker)
      : of_(of),
        products_(products),
        cell_(cell),
        worker_(worker),
        call_(of.call),
        history_(of.history),
        work_(of.work),
        layout_(work_.layout),
        outputs_(work_.outputs),
        norms_(of, products),
        chunk_products_(of, products) {
    assert(call_.x.data && call_.weights[WeightId::w_ih] && call_.weights[WeightId::w_hh]);
    assert(call_.dims.rows == work_.plan.rows && call_.dims.steps == work_.plan.end);
  }

  [[gnu::noinline]] void run() {
    prepare();
    take(history_.steps);
    finish();
  }

  /// What `run` is made of, for who takes stretches of steps, the last one first, each once the
  /// history holds it.
  [[gnu::noinline]] void prepare() {
    worker_.stage([&](const Share& own) {
      read_rows(own.of(call_.dims.rows));
      const Span steps = own.of(call_.dims.steps);
      for (index step = steps.begin; step < steps.end; ++step) {
        work_.active[step] = taking_part(step);
      }
      if (own.id == 0) {
        count_up(work_.numbers, work_.numbers_size());
        __builtin_memset(work_.zeros, 0, static_cast<std::size_t>(work_.zeros_size()) * sizeof(T));
      }
      if constexpr (Normalized<Shape>) {
        work_.norm.pack(call_.weights, own);
      }
      work_.of_units.pack(call_.weights[WeightId::of_units], own.of(layout_.groups()));
      if (call_.out.x.data) products_.input_weights.pack(call_.weights[WeightId::w_ih], own);
      for (int p = 0; p < Shape::phases; ++p) {
        products_.recurrent_weights[p].pack(call_.weights[WeightId::w_hh], own);
      }
      if (projects()) products_.projection_weights.pack(call_.weights[WeightId::w_hr], own);
    });
  }

  [[gnu::noinline]] void take(Span steps) {
    history_ = history_.of(steps);
    for (index end = steps.end; end > steps.begin;) {
      const index begin = larger(steps.begin, end - work_.plan.delta_chunk_steps);
      chunk({begin, end});
      end = begin;
    }
  }

  [[gnu::noinline]] void finish() {
    worker_.stage([&](const Share& own) { finish(own); });
  }

 private:
  void finish(const Share& own) {
    const Span rows = own.of(call_.dims.rows);
    for (index r = rows.begin; r < rows.end; ++r) {
      const index b = work_.sequences[r].sequence;
      write_state(work_.dh + h_row(r), outputs_, b, call_.out.initial.h);
      if (Shape::has_memory) write_state(work_.dc + row(r), layout_, b, call_.out.initial.c);
    }
    if (work_.by_sequence) return;
    if (call_.dims.steps == 0 ||
        work_.active[0] == 0) {  // no sequence took a step, so nothing began the sums
      if (own.id == 0) clear_weights<Shape>(call_.out.weights, call_.dims);
      return;
    }
    products_.sums.unpack(call_.out.weights, own);
    products_.sums.unpack_norms(call_.out.weights, own);
  }

  bool projects() const { return Shape::has_memory && call_.dims.projection; }
  /// Where a private row begins in dh, and in dc.
  index h_row(index r) const { return work_.d_rows[r] * outputs_.row(); }
  index row(index r) const { return work_.d_rows[r] * layout_.row(); }

  void read_rows(Span rows) {
    list_sequences(call_.rows, rows, call_.dims.steps, work_.sequences);
    for (index r = rows.begin; r < rows.end; ++r) {
      const SequenceRow& of = work_.sequences[r];
      work_.places[r] = place(r);
      if constexpr (Normalized<Shape>) work_.rows_by_rank[of.rank] = r;
      work_.d_rows[r] = work_.d_row(r);
      work_.gate_rows[r] = history_.gate_row(r);
      work_.state_rows[r] = history_.state_row(r);
      const index b = of.sequence;
      read_state(call_.d_last.h, outputs_, b, work_.dh + h_row(r));
      if (Shape::has_memory) read_state(call_.d_last.c, layout_, b, work_.dc + row(r));
      if (work_.plan.masks_operand) {
        clear_groups(work_.d_operands[0] + h_row(r), {0, outputs_.groups()});
      }
      if (call_.rows && call_.out.x.data) {
        clear_padding(call_.out.x, of, {0, call_.dims.steps}, call_.dims.inputs);
      }
    }
  }

  /// What a private row adds to the first row of a step.
  index place(index r) const {
    if (!work_.by_sequence) return work_.sequences[r].rank;
    const auto length = [&](index i) {
      return call_.rows ? call_.rows[i].length : call_.dims.steps;
    };
    index end = 0;
    for (index i = 0; i <= r; ++i) end += length(i);
    return end - call_.dims.steps;
  }

  index taking_part(index step) const {
    if (!call_.rows) return call_.dims.rows;
    index count = 0;
    for (index r = 0; r < call_.dims.rows; ++r) count += call_.rows[r].length > step;
    return count;
  }

  void chunk(Span steps) {
    const Slots<Shape, T> deltas = {layout_, work_.deltas, work_.rows_of(steps)};
    for_rows(call_.dims.rows, work_.plan, worker_,
             [&](Span rows) { chunk_deltas(deltas, steps, rows); });
    if constexpr (Normalized<Shape>) {
      worker_.stage([&](const Share& own) {
        work_.by_sequence ? norms_.gradients_of_sequences(deltas, own)
                          : norms_.add_gradients(deltas, steps, own);
      });
      worker_.stage([&](const Share& own) { norms_.back_through_input_norms(deltas, steps, own); });
    }
    worker_.stage([&](const Share& own) {
      if (call_.out.x.data) chunk_products_.input_product(deltas, own);
      work_.by_sequence ? chunk_products_.gradients_of_sequences(deltas, own)
                        : chunk_products_.weight_gradients(deltas, steps, own);
    });
  }

  [[gnu::noinline]] void chunk_deltas(const Slots<Shape, T>& deltas, Span steps, Span rows) {
    const Span last = active_rows(work_.sequences, rows, rows, steps.end - 1);
    Step step = {steps.end - 1, 0, last};
    worker_.stage([&](const Share& own) {
      chunk_products_.list_rows(steps, own);
      begin_step(deltas, step, of_row(outputs_.groups(), work_.plan.partition, own));
    });
    while (true) {
      // Those whose last step is the one before have no product before it. (Those that wait for
      // whole rows begin it once it is complete.)
      const bool in_chunk = step.number > steps.begin;
      Step next = step;
      Step begins = step;
      if (in_chunk) {
        next = before(step);
        next.rows = active_rows(work_.sequences, rows, step.rows, next.number);
        const index left = Normalized<Shape> ? next.rows.begin : step.rows.end;
        begins = {next.number, next.first_row, {left, next.rows.end}};
      }
      if constexpr (Projectable<Shape>) {
        if (projects()) project(deltas, step);
      }
      phase<Shape::phases - 1>(deltas, step, in_chunk, begins);
      if (!in_chunk) return;
      step = next;
    }
  }

  using Step = BackwardStep;
  /// The same rows at the step before.
  Step before(const Step& step) const {
    const index passed = work_.first_row({step.number, step.number + 1});
    return {step.number - 1, step.first_row + passed, step.rows};
  }

  /// What follows once dL/dh after a step is there: the cell's backward, or a projection's.
  void begin_step(const Slots<Shape, T>& deltas, const Step& step, Span groups) {
    if constexpr (Projectable<Shape>) {
      if (projects()) {
        return call_.masks.kept_h.data ? output_backward<Zoneout<T>>(deltas.rows, step, groups)
                                       : output_backward<NoZoneout<T>>(deltas.rows, step, groups);
      }
    }
    cell_.step(of_, left(deltas), left(step), groups);
    make_operands_of(deltas, step, groups);
  }

  /// Whether nobody but products reads deltas, and these have operands of their own: a step may
  /// then write over those of the one after it, which are still in L2.
  bool overwrites_deltas() const {
    return rounds_operands<F> && !Normalized<Shape> && unit_weights_of<Shape>() == 0 &&
           !work_.by_sequence;
  }
  /// Where the cell leaves the deltas of a step.
  Slots<Shape, T> left(const Slots<Shape, T>& deltas) const {
    return overwrites_deltas() ? Slots<Shape, T>{layout_, deltas.base, call_.dims.rows} : deltas;
  }
  Step left(const Step& step) const {
    return overwrites_deltas() ? Step{step.number, 0, step.rows} : step;
  }

  /// Deltas as operands.
  void make_operands_of(const Slots<Shape, T>& deltas, const Step& step, Span groups) const {
    const Slots<Shape, T> from = left(deltas);
    const OperandSlots<Shape, F> to = products_.operands(deltas);
    const index first = left(step).first_row;
    for (index r = step.rows.begin; r < step.rows.end; ++r) {
      const index place = work_.places[r];
      make_operands(from, first + place, to, step.first_row + place, groups);
    }
  }

  /// dL/dh with y's share into its slot; leaves what passes the projection by.
  template <class Zone>
  [[gnu::noinline]] void output_backward(index chunk_rows, const Step& step, Span groups) {
    const Slots<Linear, T> slots = work_.d_output_slots(chunk_rows);
    const OperandSlots<Linear, F> operands = products_.output_operands(slots);
    for (index r = step.rows.begin; r < step.rows.end; ++r) {
      const SequenceRow& of = work_.sequences[r];
      const Zone zone(of_h(call_.masks), of, step.number);
      const T* const dy = of_.dy_at(of, step.number);
      for (index group = groups.begin; group < groups.end; ++group) {
        T* const dh = work_.dh + h_row(r) + group * L::N;
        const index valid = outputs_.valid(group);
        State<V> d = {load(dh) + load_group(dy, outputs_, group), V{}};
        State<V> passed = zone.split(d, outputs_, group);
        store(slots.group(step.first_row + work_.places[r], group).part(0),
              valid == L::N ? d.h : keep_first(d.h, valid));
        store(dh, passed.h);
      }
      const index row = step.first_row + work_.places[r];
      make_operands(slots, row, operands, row, groups);
    }
  }

  /// dm = dh W_hr, and the cell's backward.
  [[gnu::noinline]] void project(const Slots<Shape, T>& deltas, const Step& step) {
    const SlotOperand<Linear, F> operand = {
        products_.output_operands(work_.d_output_slots(deltas.rows)), Linear::phase[0],
        step.first_row, work_.places + step.rows.begin};
    const auto multiply_block = [&](const Columns<F>& block, Span vectors, Span groups) {
      const Rows<T> c = {work_.dm + groups.begin * L::N, work_.d_rows + step.rows.begin,
                         layout_.row()};
      multiply<F>(operand, block, vectors, {work_.zeros, c.offset, 0}, c, step.rows.size(),
                  [&](index tile_row, index count) {
                    const Step part = step.some(tile_row, count);
                    cell_.projected_step(of_, left(deltas), left(part), groups);
                    make_operands_of(deltas, part, groups);
                    cut_gradient(part, work_.dc, layout_.row(), groups);
                  });
    };
    worker_.stage([&](const Share& own) {
      const Span groups = of_row(layout_.groups(), work_.plan.partition, own);
      products_.projection_weights.for_blocks(groups, step.number % 2, multiply_block);
      own.worked(step.rows.size() * groups.size() * L::N * (outputs_.units + L::N));
    });
  }

  /// From the deltas of a phase to the gradient of its operand: for the first phase dL/dh of the
  /// step before, which goes on through the cell while it is hot if that step is `in_chunk`; of
  /// others there it `begins` the rows that set in.
  template <int Phase>
  void phase(const Slots<Shape, T>& deltas, const Step& step, bool in_chunk, const Step& begins) {
    const DeltaWeights<Shape, F>& weights = products_.recurrent_weights[Phase];
    const SlotOperand<Shape, F> operand = {products_.operands(deltas), Shape::phase[Phase],
                                           step.first_row, work_.places + step.rows.begin};
    const auto multiply_block = [&](const Columns<F>& block, Span vectors, Span groups) {
      T* const target = work_.d_operands[Phase] + groups.begin * L::N;
      const Rows<T> c = {target, work_.d_rows + step.rows.begin, outputs_.row()};
      const Rows<const T> start = Phase == 0 ? Rows<const T>{c.base, c.offset, c.stride}
                                             : Rows<const T>{work_.zeros, c.offset, 0};
      multiply<F>(operand, block, vectors, start, c, step.rows.size(),
                  [&](index tile_row, index count) {
                    const Step part = step.some(tile_row, count);
                    if constexpr (Phase > 0) {
                      cell_.unstage(of_, left(deltas), left(part), groups);
                      make_operands_of(deltas, part, groups);
                    } else {
                      unmask_operand(part, groups);
                      cut_gradient(part, work_.dh, outputs_.row(), groups);
                      if (Shape::has_memory && !projects()) {
                        cut_gradient(part, work_.dc, layout_.row(), groups);
                      }
                      if (in_chunk && !Normalized<Shape>) begin_step(deltas, before(part), groups);
                    }
                  });
    };
    worker_.stage([&](const Share& own) {
      const Span groups = of_row(outputs_.groups(), work_.plan.partition, own);
      weights.for_blocks(groups, step.number % 2, multiply_block);
      if (Phase == 0 && in_chunk) begin_step(deltas, begins, groups);
      own.worked(step.rows.size() * groups.size() * L::N * (weights.length() + L::N));
    });
    if constexpr (Phase > 0) phase<Phase - 1>(deltas, step, in_chunk, begins);
  }

  /// From the gradient of the first phase's operand to that of the state that it is made from.
  void unmask_operand(const Step& step, Span groups) {
    if (!work_.plan.masks_operand) return;
    for (index r = step.rows.begin; r < step.rows.end; ++r) {
      const index at = h_row(r);
      const T* const mask = call_.masks.recurrent + work_.sequences[r].sequence * outputs_.units;
      for (index group = groups.begin; group < groups.end; ++group) {
        T* const dh = work_.dh + at + group * L::N;
        T* const d_operand = work_.d_operands[0] + at + group * L::N;
        store(dh, fma(load_group(mask, outputs_, group), load(d_operand), load(dh)));
        store(d_operand, V{});  // the next step's begins at zero
      }
    }
  }

  /// Keeps a state's gradient, `groups` of rows `stride` apart, from passing into the step before
  /// where that does not lead on.
  void cut_gradient(const Step& step, T* gradient, index stride, Span groups) {
    const bool truncated = call_.truncate && step.number && step.number % call_.truncate == 0;
    if (!truncated && !call_.resets.data) return;
    for (index r = step.rows.begin; r < step.rows.end; ++r) {
      if (!truncated && !is_reset(call_.resets, work_.sequences[r], step.number)) continue;
      clear_groups(gradient + work_.d_rows[r] * stride, groups);
    }
  }

  BackwardContext<Shape, T>& of_;
  const ProductWorkspace<Shape, F>& products_;
  const CellBackward<Shape, T>& cell_;
  Worker& worker_;
  const BackwardCall<T>& call_;
  History<Shape, T>& history_;
  Work& work_;
  const L layout_;
  const RowLayout<T> outputs_;          // of h
  const NormProducts<Shape, F> norms_;  // used where there are norms
  ChunkProducts<Shape, F> chunk_products_;
};

}  // namespace
}  // namespace rnnfast
