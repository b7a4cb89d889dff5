// The forward pass, for all cells, scalar types and instruction sets:
//
//   for each chunk of steps:  slots = bias + x W_ih^T             cpu/forward/input_product.hpp
//     for each step and phase: slots += operand W_hh^T            one product over rows
//                              gates, h, c = the cell's forward    while a row tile is in L1
//                  at the end: h = m W_hr^T                        where h is a projection
//
// A single row may have its input product made beside the recurrent one
// (cpu/forward/interleaved_input.hpp). h is handed on in private padded rows, never through y. Odd
// steps walk the panels backwards, so that the end of R that one step leaves in the cache is what
// the next one starts with. All that lasts from one chunk to the next stands in history and
// workspace: a pass may be taken in several goes, each by a ForwardPass of its own
// (cpu/drive/pipeline.hpp).
#pragma once

#include <cassert>

#include "cpu/forward/cell_forward.hpp"
#include "cpu/forward/input_product.hpp"
#include "cpu/forward/interleaved_input.hpp"
#include "cpu/forward/projection.hpp"
#include "cpu/forward/state_rows.hpp"

namespace rnnfast {
namespace {

/// Whether a plan may have the input product interleaved: a step is one product, of panels that
/// need not wait for each other.
template <class Shape, class F>
constexpr bool may_interleave = Shape::phases == 1 && !Normalized<Shape> && is_plain<F>;

/// Whether h may be a projection: what is quantized lies within -1 and 1.
template <class Shape, class F>
constexpr bool may_project = Projectable<Shape> && !Quantized<F>;

template <class Shape, class F>
class ForwardPass {
  using T = typename F::Sum;
  using L = Layout<Shape, T>;
  using Step = ForwardStep<Shape, T>;
  /// When gates are made: while slots are in L1, and not by a call a tile.
  enum class Gates { after_all_products, after_some_tiles };
  static constexpr index slots_at_once = 16 * 1024 / static_cast<index>(sizeof(T));
  static constexpr index rows_at_once = 16;

 public:
  [[gnu::noinline]] ForwardPass(const ForwardContext<Shape, F>& of,
                                const CellForward<Shape, T>& cell, Worker& worker)
      : of_(of),
        cell_(cell),
        worker_(worker),
        layout_(of.history.layout),
        outputs_(of.history.outputs),
        runs_(dense_runs<F>(outputs_.units)),
        states_(of.call, of.history, of.work),
        operands_(of),
        input_product_(of),
        interleaved_input_(of, runs_, input_product_.runs()),
        projection_(of, runs_) {
    assert(of.call.x.data && of.call.y.data && of.call.dims.inputs > 0 && of.call.dims.units > 0);
    assert(of.call.dims.rows == of.plan.rows && of.history.steps.size() <= of.history.room);
  }

  /// All steps of the history: at once, or in spans of whole chunks, in order (at once where the
  /// input is interleaved).
  void run(Span steps) {
    for_rows(of_.call.dims.rows, of_.plan, worker_, [&](Span rows) { run_rows(steps, rows); });
  }

 private:
  /// One copy of it serves all callers, with everything it calls inlined.
  [[gnu::noinline]] void run_rows(Span steps, Span rows) {
    if (steps.begin == of_.history.steps.begin) {
      worker_.stage([&](const Share& own) {
        const Span own_rows = own.of(of_.call.dims.rows);
        states_.read(own_rows);
        operands_.made(0, steps.begin, own_rows, {0, outputs_.groups()});
      });
    }
    if constexpr (may_interleave<Shape, F>) {
      of_.plan.interleaves_input ? run_windows(rows) : run_chunks(steps, rows);
    } else {
      run_chunks(steps, rows);
    }
    if (steps.end == of_.history.steps.end) {
      worker_.stage([&](const Share& own) { states_.write(own.of(of_.call.dims.rows)); });
    }
  }

  /// Of a row, those parts that belong to a share; worked out anew where it is not the last one's.
  struct Own {
    int id = -1;
    int count = 0;
    Span panels;
    Span units;    // groups of c, and of what the cell gives
    Span outputs;  // groups of h
  };
  const Own& owned_by(const Share& share) {
    if (share.id != own_.id || share.count != own_.count) {
      const Partition partition = of_.plan.partition;
      const Span panels = of_row(layout_.panels(), partition, share);
      const Span units = {panels.begin * L::U, smaller(panels.end * L::U, layout_.groups())};
      own_ = {share.id, share.count, panels, units,
              projects() ? of_row(outputs_.groups(), partition, share) : units};
    }
    return own_;
  }

  [[gnu::noinline]] void run_chunks(Span steps, Span rows) {
    Span active = rows;
    for (index step = steps.begin; step < steps.end; ++step) {
      active = active_rows(of_.work.sequences, rows, active, step);
      if (active.size() == 0) return;
      run_phase<0>(Step(of_, step, active), rows);
    }
  }

  void run_windows(Span rows) {
    const Span steps = of_.history.steps;
    interleaved_input_.prepare();
    index step = steps.begin;
    for (index next = step + input_window; next < steps.end; next += input_window) {
      interleaved_input_.begin_window(next);
      for (index place = 0; place < input_window; ++place, ++step) {
        interleaved_step(Step(of_, step, rows), rows, place);
      }
    }
    run_chunks({step, steps.end}, rows);
  }

  /// Before the recurrent product of a step: the input product of its chunk where one begins, or of
  /// the first window.
  void make_input(const Step& step, Span rows, const Own& own, const Share& share) {
    if constexpr (may_interleave<Shape, F>) {
      if (of_.plan.interleaves_input) return make_first_window(step, rows, own, share);
    }
    if (of_.history.begins_chunk(step.number)) {
      input_product_.fill(step.number, of_.history.chunk_size(step.number), rows, own.panels,
                          share);
    }
  }

  void make_first_window(const Step& step, Span rows, const Own& own, const Share& share) {
    const Span steps = of_.history.steps;
    if (step.number > steps.begin) return;
    input_product_.fill(steps.begin, smaller(input_window, steps.size()), rows, own.panels, share);
    interleaved_input_.clear_sums(own.panels);
  }

  template <class Panel>
  void for_own_panels(const Step& step, Span panels, Panel&& run_panel) {
    for (index i = 0; i < panels.size(); ++i) {
      run_panel(step.number % 2 ? panels.end - 1 - i : panels.begin + i);
    }
  }

  template <int Phase>
  void run_phase(const Step& step, Span rows) {
    constexpr bool last = Phase + 1 == Shape::phases;
    worker_.stage([&](const Share& share) {
      const Own& own = owned_by(share);
      if constexpr (Phase == 0) make_input(step, rows, own, share);
      // Where all slots stay in L1, and with norms, gates are made after all products: their chains
      // of dependent operations overlap.
      const index slots = step.rows.size() * own.panels.size() * layout_.slot(0);
      const Gates gates = Normalized<Shape> || slots <= slots_at_once ? Gates::after_all_products
                                                                      : Gates::after_some_tiles;
      operands_.begin(Phase, step, share);
      if (share.count > 1) {
        last ? operands_.will_make(0, step.number + 1, step.rows, own.outputs)
             : operands_.will_make(Phase + 1, step.number, step.rows, own.units);
      }
      for_own_panels(step, own.panels, [&](index panel) {
        recurrent_panel<Phase>(step, panel, gates, share);
        share.worked(step.rows.size() * layout_.slot(panel) * (outputs_.units + L::N));
      });
      if (gates == Gates::after_all_products) cell_.finish(Phase, step, own.panels, step.rows);
      if constexpr (!last) operands_.made(Phase + 1, step.number, step.rows, own.units);
      if constexpr (last && may_project<Shape, F>) {
        if (projects()) return operands_.made_m(step.number, step.rows, own.units);
      }
      if (last) end_step(step, own);
    });
    if constexpr (!last) {
      run_phase<Phase + 1>(step, rows);
    } else {
      project(step);
    }
  }

  /// The stage after those of the phases, where h is a projection.
  void project(const Step& step) {
    if constexpr (may_project<Shape, F>) {
      if (!projects()) return;
      worker_.stage([&](const Share& share) {
        const Own& own = owned_by(share);
        projection_.multiply(step, own.outputs);
        share.worked(step.rows.size() * own.outputs.size() * L::N * of_.call.dims.units);
        end_step(step, own);
      });
    }
  }

  bool projects() const { return may_project<Shape, F> && of_.call.dims.projection; }

  void end_step(const Step& step, const Own& own) {
    states_.begin(step.rows, step.number + 1, own.outputs, own.units);
    operands_.made(0, step.number + 1, step.rows, own.outputs);
  }

  void interleaved_step(const Step& step, Span rows, index place) {
    worker_.stage([&](const Share& share) {
      const Own& own = owned_by(share);
      make_input(step, rows, own, share);
      if (place == 0) interleaved_input_.prepare_window(own.panels, share);
      for_own_panels(step, own.panels, [&](index panel) {
        interleaved_input_.multiply_panel(panel, step.operands[0], step.panel(panel), place, share);
        share.worked(layout_.slot(panel) * (outputs_.units + of_.call.dims.inputs));
      });
      cell_.finish(0, step, own.panels, step.rows);
      if (!projects()) end_step(step, own);
    });
    project(step);
  }

  template <int Phase>
  void recurrent_panel(const Step& step, index panel, Gates gates, const Share& share) {
    constexpr Range range = Shape::phase[Phase];
    const index width = layout_.width(panel);
    const RecurrentWeights<Shape, F>& weights = of_.weights.recurrent[Phase];
    const Rows<T> c = {step.panel(panel) + range.begin * width * L::N,
                       of_.work.gate_rows + step.rows.begin, layout_.slot(panel)};
    const index count = step.rows.size();
    const bool here = gates == Gates::after_some_tiles;
    index made = 0;
    multiply<F>(Dense<F>{operands_.recurrent(Phase, step, share), runs_}, weights.panel(panel),
                {0, weights.vectors(panel)}, {c.base, c.offset, c.stride}, c, count,
                [&](index row, index tile) {
                  const index end = row + tile;
                  if (!here || (end - made < rows_at_once && end < count)) return;
                  const index begin = step.rows.begin;
                  cell_.finish(Phase, step, {panel, panel + 1}, {begin + made, begin + end});
                  made = end;
                });
  }

  const ForwardContext<Shape, F>& of_;
  const CellForward<Shape, T>& cell_;
  Worker& worker_;
  const L layout_;
  const RowLayout<T> outputs_;  // of h
  const DenseRuns runs_;        // over the operand of a recurrent product
  Own own_;
  const StateRows<Shape, T> states_;
  const OperandRows<Shape, F> operands_;
  InputProduct<Shape, F> input_product_;
  InterleavedInput<Shape, F> interleaved_input_;
  const Projection<Shape, F> projection_;
};

}  // namespace
}  // namespace rnnfast
