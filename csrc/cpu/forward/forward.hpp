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

#include "cells/usual.hpp"
#include "cpu/epilogue/resets.hpp"
#include "cpu/epilogue/zoneout.hpp"
#include "cpu/forward/input_product.hpp"
#include "cpu/forward/interleaved_input.hpp"
#include "cpu/forward/normalized.hpp"
#include "cpu/forward/workspace.hpp"
#include "cpu/layout/states.hpp"

namespace rnnfast {
namespace {

template <class Cell, class T, class Keep>
class ForwardPass {
  using L = Layout<Cell, T>;
  using V = Vec<T>;

 public:
  ForwardPass(const ForwardCall<T>& call, const ForwardWeights<Cell, T>& weights,
              const History<Cell, T, Keep>& history, const ForwardWorkspace<T>& workspace,
              const PlanSegment& plan, Worker& worker)
      : call_(call),
        cell_{decltype(Cell::act)(call.activations)},
        weights_(weights),
        history_(history),
        work_(workspace),
        layout_(history.layout),
        plan_(plan),
        worker_(worker),
        outputs_(history.outputs),
        row_(layout_.row()),
        h_row_(outputs_.row()),
        runs_(outputs_.units),
        unit_runs_(call.dims.projection ? DenseRuns(call.dims.units) : runs_),
        sequences_(work_.sequences),
        state_rows_(work_.state_rows),
        gate_rows_(work_.gate_rows),
        y_rows_(work_.y_rows),
        input_product_(call_, weights_, history_, work_),
        interleaved_input_(call_, weights_, history_, work_),
        normalized_(cell_, call_, weights_, history_, sequences_, state_rows_, gate_rows_) {
    assert(call.x.data && call.y.data && call.dims.inputs > 0 && call.dims.units > 0);
    assert(call.dims.rows == plan.rows && history.steps.size() <= history.room);
  }

  /// All steps of the history: at once, or in spans of whole chunks, in order (at once where the
  /// input is interleaved).
  void run(Span steps) {
    for_rows(call_.dims.rows, plan_, worker_, [&](Span rows) { run_rows(steps, rows); });
  }

 private:
  /// One copy of it serves all callers, with everything it calls inlined.
  [[gnu::noinline]] void run_rows(Span steps, Span rows) {
    if (steps.begin == history_.steps.begin) {
      worker_.stage([&](const Share& own) { read_rows(own.of(call_.dims.rows)); });
    }
    plan_.interleaves_input ? run_windows(rows) : run_chunks(steps, rows);
    if (steps.end == history_.steps.end) {
      worker_.stage([&](const Share& own) { write_rows(own.of(call_.dims.rows)); });
    }
  }

  void read_rows(Span rows) {
    const index first = history_.steps.begin;
    list_sequences(call_.rows, rows, call_.dims.steps, sequences_);
    for (index r = rows.begin; r < rows.end; ++r) {
      state_rows_[r] = history_.state_row(r);
      gate_rows_[r] = history_.gate_row(r);
      const index state_row = state_rows_[r];
      const index b = sequences_[r].sequence;
      y_rows_[r] = sequences_[r].first * call_.y.step_stride + b * call_.y.row_stride;
      read_state(call_.initial.h, outputs_, b, history_.h_at(first) + state_row * h_row_);
      if (Cell::has_memory) {
        read_state(call_.initial.c, layout_, b, history_.c_at(first) + state_row * row_);
      }
      if (call_.rows) clear_padding(call_.y, sequences_[r], history_.steps, outputs_.units);
    }
    const Span outputs = {0, outputs_.groups()};
    reset_rows(rows, outputs, {0, layout_.groups()}, first);
    mask_operand(rows, outputs, first);
  }

  // A row's last state stays where its last step has left it, or where it was read if it takes
  // none.
  void write_rows(Span rows) {
    for (index r = rows.begin; r < rows.end; ++r) {
      const index state_row = state_rows_[r];
      const SequenceRow& row = sequences_[r];
      const index last = within(row.length, history_.steps);
      write_state(history_.h_at(last) + state_row * h_row_, outputs_, row.sequence, call_.last.h);
      if (Cell::has_memory) {
        write_state(history_.c_at(last) + state_row * row_, layout_, row.sequence, call_.last.c);
      }
    }
  }

  /// Zeros the states before `step` in those of the rows that are reset there.
  void reset_rows(Span rows, Span outputs, Span units, index step) {
    if (!call_.resets.data) return;
    for (index r = rows.begin; r < rows.end; ++r) {
      if (sequences_[r].length <= step || !is_reset(call_.resets, sequences_[r], step)) continue;
      clear_groups(history_.h_at(step) + state_rows_[r] * h_row_, outputs);
      if (Cell::has_memory) clear_groups(history_.c_at(step) + state_rows_[r] * row_, units);
    }
  }

  /// Makes the first phase's operand from the states before `step`, unless these are it.
  void mask_operand(Span rows, Span groups, index step) {
    if (!history_.masks_operand) return;
    for (index r = rows.begin; r < rows.end; ++r) {
      const index at = state_rows_[r] * h_row_;
      const T* const mask = call_.masks.recurrent + sequences_[r].sequence * outputs_.units;
      for (index group = groups.begin; group < groups.end; ++group) {
        const V factor = load_group(mask, outputs_, group);
        store(history_.operand_at(0, step) + at + group * L::N,
              factor * load(history_.h_at(step) + at + group * L::N));
      }
    }
  }

  /// Where a step finds and leaves things; worked out once, since it takes divisions.
  struct Step {
    index number;
    Span rows;  // that take part
    Slots<Cell, T> slots;
    index first_slot;
    const T* operand;  // of the first phase
    State<const T*> before;
    State<T*> after;
    T* m;  // of a projection
    T* y;
  };
  Step step_at(index step, Span rows) const {
    return {step,
            rows,
            history_.slots_of(step),
            history_.step_row(step),
            history_.operand_at(0, step),
            {history_.h_at(step), history_.c_at(step)},
            {history_.h_at(step + 1), history_.c_at(step + 1)},
            history_.m_at(step),
            call_.y.data + step * call_.y.step_stride};
  }
  /// The slots of a step in a panel; row r's is number gate_rows_[r].
  T* slots_of(const Step& step, index panel) const {
    return step.slots.panel(panel) + step.first_slot * layout_.slot(panel);
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
      const Span panels = of_row(layout_.panels(), plan_.partition, share);
      const Span units = {panels.begin * L::U, smaller(panels.end * L::U, layout_.groups())};
      own_ = {share.id, share.count, panels, units,
              call_.dims.projection ? of_row(outputs_.groups(), plan_.partition, share) : units};
    }
    return own_;
  }

  void run_chunks(Span steps, Span rows) {
    Span active = rows;
    for (index step = steps.begin; step < steps.end; ++step) {
      active = active_rows(sequences_, rows, active, step);
      if (active.size() == 0) return;
      run_phase<0>(step_at(step, active), rows);
    }
  }

  void run_windows(Span rows) {
    const Span steps = history_.steps;
    interleaved_input_.prepare();
    index step = steps.begin;
    for (index next = step + input_window; next < steps.end; next += input_window) {
      interleaved_input_.begin_window(next);
      for (index place = 0; place < input_window; ++place, ++step) {
        interleaved_step(step_at(step, rows), rows, place);
      }
    }
    for (; step < steps.end; ++step) run_phase<0>(step_at(step, rows), rows);
  }

  /// Before the recurrent product of a step: the input product of its chunk where one begins, or of
  /// the first window.
  void make_input(const Step& step, Span rows, const Own& own, const Share& share) {
    if (plan_.interleaves_input) {
      const Span steps = history_.steps;
      if (step.number > steps.begin) return;
      input_product_.fill(steps.begin, smaller(input_window, steps.size()), rows, own.panels,
                          share);
      interleaved_input_.clear_sums(own.panels);
    } else if (history_.begins_chunk(step.number)) {
      input_product_.fill(step.number, history_.chunk_size(step.number), rows, own.panels, share);
    }
  }

  template <class Panel>
  void for_own_panels(const Step& step, Span panels, Panel&& run_panel) {
    for (index i = 0; i < panels.size(); ++i) {
      run_panel(step.number % 2 ? panels.end - 1 - i : panels.begin + i);
    }
  }

  template <int Phase>
  void run_phase(const Step& step, Span rows) {
    constexpr bool last = Phase + 1 == Cell::phases;
    worker_.stage([&](const Share& share) {
      const Own& own = owned_by(share);
      if constexpr (Phase == 0) make_input(step, rows, own, share);
      const T* operand = Phase == 0 ? step.operand : history_.operand_at(Phase, step.number);
      for_own_panels(step, own.panels, [&](index panel) {
        recurrent_panel<Phase>(step, panel, operand);
        share.worked(step.rows.size() * layout_.slot(panel) * (outputs_.units + L::N));
      });
      if constexpr (Normalized<Cell>) {
        normalized_.finish_rows(step, step.rows, [&](index r, index group, const State<V>& state) {
          leave<PlainOutput>(step, r, group, state);
        });
      }
      if (last && !projects()) end_step(step, own);
    });
    if constexpr (!last) {
      run_phase<Phase + 1>(step, rows);
    } else {
      project(step);
    }
  }

  /// The stage after those of the phases, where h is a projection.
  void project(const Step& step) {
    if constexpr (Projectable<Cell>) {
      if (!projects()) return;
      worker_.stage([&](const Share& share) {
        const Own& own = owned_by(share);
        project(step, own.outputs);
        share.worked(step.rows.size() * own.outputs.size() * L::N * call_.dims.units);
        end_step(step, own);
      });
    }
  }

  bool projects() const { return Projectable<Cell> && call_.dims.projection; }

  void end_step(const Step& step, const Own& own) {
    reset_rows(step.rows, own.outputs, own.units, step.number + 1);
    mask_operand(step.rows, own.outputs, step.number + 1);
  }

  /// h = m W_hr^T
  [[gnu::noinline]] void project(const Step& step, Span outputs) {
    const PanelWeights<Linear, T>& weights = weights_.projection;
    using Panels = Layout<Linear, T>;
    static constexpr T zeros[Panels::U * L::N] = {};
    const Span panels = {outputs.begin / Panels::U, ceil_div(outputs.end, Panels::U)};
    const index* const rows = state_rows_ + step.rows.begin;
    for (index i = 0; i < panels.size(); ++i) {
      const index panel = step.number % 2 ? panels.end - 1 - i : panels.begin + i;
      const index first = panel * Panels::U;
      const index width = weights.layout.width(panel);
      const Span groups = {larger(first, outputs.begin), smaller(first + width, outputs.end)};
      multiply<T>(Dense<T>{{step.m, rows, row_}, unit_runs_}, weights.panel(panel),
                  {groups.begin - first, groups.end - first}, {zeros, rows, 0},
                  {step.after.h + groups.begin * L::N, rows, h_row_}, step.rows.size(),
                  [&](index row, index count) {
                    const index begin = step.rows.begin + row;
                    const Span finished = {begin, begin + count};
                    call_.masks.kept_h.data ? finish_outputs<Zoneout<T>>(step, finished, groups)
                                            : finish_outputs<NoZoneout<T>>(step, finished, groups);
                  });
    }
  }

  template <class Zone>
  void finish_outputs(const Step& step, Span rows, Span groups) {
    for (index r = rows.begin; r < rows.end; ++r) {
      const Zone zone(of_h(call_.masks), sequences_[r], step.number);
      for (index group = groups.begin; group < groups.end; ++group) {
        const index at = state_rows_[r] * h_row_ + group * L::N;
        const State<V> before = {load(step.before.h + at), V{}};
        const V h = zone.after(before, {load(step.after.h + at), V{}}, outputs_, group).h;
        store(step.after.h + at, h);
        store_y(step, r, group, h, outputs_.valid(group));
      }
    }
  }

  void store_y(const Step& step, index r, index group, V h, index valid) {
    T* const y = step.y + y_rows_[r] + group * L::N;
    valid == L::N ? store(y, h) : store_first(y, h, valid);
  }

  // The gates of all panels after all products: what a single row leaves is in L1 all the same, and
  // their chains of dependent operations overlap.
  void interleaved_step(const Step& step, Span rows, index place) {
    worker_.stage([&](const Share& share) {
      const Own& own = owned_by(share);
      make_input(step, rows, own, share);
      if (place == 0) interleaved_input_.prepare_window(own.panels, share);
      for_own_panels(step, own.panels, [&](index panel) {
        interleaved_input_.multiply_panel(panel, step.operand, slots_of(step, panel), place, share);
        share.worked(layout_.slot(panel) * (outputs_.units + call_.dims.inputs));
      });
      for_own_panels(step, own.panels, [&](index panel) {
        finish_rows<0>(step, panel, slots_of(step, panel), {0, 1});
      });
      if (!projects()) end_step(step, own);
    });
    project(step);
  }

  template <int Phase>
  void recurrent_panel(const Step& step, index panel, const T* operand) {
    constexpr Range range = Cell::phase[Phase];
    const index width = layout_.width(panel);
    const PanelWeights<Cell, T>& weights = weights_.recurrent[Phase];
    T* const slots = slots_of(step, panel);
    const index* operand_rows = state_rows_ + step.rows.begin;
    const Rows<T> c = {slots + range.begin * width * L::N, gate_rows_ + step.rows.begin,
                       layout_.slot(panel)};
    multiply<T>(Dense<T>{{operand, operand_rows, h_row_}, runs_}, weights.panel(panel),
                {0, weights.vectors(panel)}, {c.base, c.offset, c.stride}, c, step.rows.size(),
                [&](index row, index count) {
                  const index begin = step.rows.begin + row;
                  finish_rows<Phase>(step, panel, slots, {begin, begin + count});
                });
  }

  template <int Phase>
  void finish_rows(const Step& step, index panel, T* slots, Span rows) {
    if constexpr (Normalized<Cell>) {
      return;  // not before the row is complete
    } else {
      if constexpr (Phase + 1 == Cell::phases) {
        if constexpr (Projectable<Cell>) {
          if (call_.dims.projection) return finish_projected_rows<Phase>(step, panel, slots, rows);
        }
        if (call_.masks.kept_h.data) {
          return finish_rows_with<Phase, Zoneout<T>, PlainOutput>(call_.masks, step, panel, slots,
                                                                  rows);
        }
      }
      finish_rows_with<Phase, NoZoneout<T>, PlainOutput>(call_.masks, step, panel, slots, rows);
    }
  }

  // By itself, so that the compiler treats the plain step as if there were no other.
  template <int Phase>
  [[gnu::noinline]] void finish_projected_rows(const Step& step, index panel, T* slots, Span rows) {
    const Masks<T> masks = of_c(call_.masks);
    masks.kept_c.data
        ? finish_rows_with<Phase, Zoneout<T>, ProjectedOutput>(masks, step, panel, slots, rows)
        : finish_rows_with<Phase, NoZoneout<T>, ProjectedOutput>(masks, step, panel, slots, rows);
  }

  template <int Phase, class Zone, class Output>
  void finish_rows_with(const Masks<T>& masks, const Step& step, index panel, T* slots, Span rows) {
    const index width = layout_.width(panel);
    with_inlined(cell_, [&](const auto& cell) {
      for (index r = rows.begin; r < rows.end; ++r) {
        const Zone zone(masks, sequences_[r], step.number);
        T* const slot = slots + gate_rows_[r] * layout_.slot(panel);
        for (index u = 0; u < width; ++u) {
          epilogue<Phase, Output>(cell, step, r, panel * L::U + u, slot + u * L::N, width * L::N,
                                  zone);
        }
      }
    });
  }

  template <int Phase, class Output, class C, class Zone>
  void epilogue(const C& cell, const Step& step, index r, index group, T* slot, index part_stride,
                const Zone& zone) {
    const index at = state_rows_[r] * row_ + group * L::N;
    V gate[L::P];
    for (int p = 0; p < L::P; ++p) gate[p] = load(slot + p * part_stride);
    State<V> state = {Output::projects ? V{} : load(step.before.h + at), V{}};
    if constexpr (Phase + 1 < Cell::phases) {
      store(history_.operand_at(Phase + 1, step.number) + at,
            cell.template stage<Phase>(gate, load(step.operand + at)));
      for (int p = Cell::phase[Phase].begin; p < Cell::phase[Phase].end; ++p) {
        store(slot + p * part_stride, gate[p]);
      }
    } else {
      if constexpr (Cell::has_memory) state.c = load(step.before.c + at);
      const auto& here = cell_at(cell, weights_.of_units, group);
      state = zone.after(state, here.forward(gate, state), layout_, group);
      if constexpr (Keep::gates) {
        for (int p = 0; p < L::P; ++p) store(slot + p * part_stride, gate[p]);
      }
      leave<Output>(step, r, group, state);
    }
  }

  template <class Output>
  void leave(const Step& step, index r, index group, const State<V>& state) {
    const index at = state_rows_[r] * row_ + group * L::N;
    if (begins_line<T>(group)) ask_ahead<Output>(step, r, group);
    if constexpr (Cell::has_memory) store(step.after.c + at, state.c);
    if constexpr (Output::projects) {
      store(step.m + at, state.h);
    } else {
      store(step.after.h + at, state.h);
      store_y(step, r, group, state.h, layout_.valid(group));
    }
  }

  /// Asks for the lines that the same row writes at the next step: new ones, far from any cache.
  template <class Output>
  void ask_ahead(const Step& step, index r, index group) {
    if constexpr (!Output::projects) {
      ask_to_write(step.y + call_.y.step_stride + y_rows_[r] + group * L::N);
    }
    if constexpr (Keep::gates) {
      const index next = (state_rows_[r] + history_.step_stride()) * row_ + group * L::N;
      if constexpr (Cell::has_memory) ask_to_write(step.after.c + next);
      ask_to_write((Output::projects ? step.m : step.after.h) + next);
    }
  }

  // Copies, not references: in the caller's stack frame they may share cache lines with what the
  // calling thread writes all the time.
  const ForwardCall<T> call_;
  const Cell cell_;
  const ForwardWeights<Cell, T> weights_;
  const History<Cell, T, Keep> history_;
  const ForwardWorkspace<T> work_;
  const L layout_;
  const PlanSegment plan_;
  Worker& worker_;
  const RowLayout<T> outputs_;  // of h
  const index row_;             // elements of a private row
  const index h_row_;           // of h
  const DenseRuns runs_;        // over the operand of a recurrent product
  const DenseRuns unit_runs_;   // over that of a projection
  SequenceRow* const sequences_;
  index* const state_rows_;
  index* const gate_rows_;
  index* const y_rows_;
  Own own_;
  InputProduct<Cell, T, Keep> input_product_;
  InterleavedInput<Cell, T, Keep> interleaved_input_;
  const NormalizedForward<Cell, T, Keep> normalized_;  // used where the cell is
};

}  // namespace
}  // namespace rnnfast
