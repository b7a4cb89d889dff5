// The cell's own part of the forward pass, once a product is complete: gates, and the operand of
// the next phase or the state after the step. A pass is compiled once a shape and calls it through
// a table; it is compiled once a cell.
#pragma once

#include "cells/usual.hpp"
#include "cpu/epilogue/zoneout.hpp"
#include "cpu/forward/step_output.hpp"

namespace rnnfast {
namespace {

/// What a pass asks of a cell. (No virtual function: a pass in another product format is compiled
/// in another file, where the compiler would see a class that nothing derives from.)
template <class Shape, class T>
class CellForward {
 public:
  /// Of some rows in some panels, after a phase's product; with norms of whole rows.
  void finish(int phase, const ForwardStep<Shape, T>& step, Span panels, Span rows) const {
    finish_(*this, phase, step, panels, rows);
  }

 protected:
  template <class Cell>
  explicit CellForward(const Cell*)
      : finish_(
            [](const CellForward& cell, int phase, const ForwardStep<Shape, T>& step, Span panels,
               Span rows) { static_cast<const Cell&>(cell).finish(phase, step, panels, rows); }) {}

 private:
  void (*const finish_)(const CellForward&, int phase, const ForwardStep<Shape, T>&, Span panels,
                        Span rows);
};

template <class Cell, class T, Keep keep>
class CellForwardOf final : public CellForward<typename Cell::Shape, T> {
  using Shape = typename Cell::Shape;
  using Step = ForwardStep<Shape, T>;
  using L = Layout<Shape, T>;
  using V = Vec<T>;

 public:
  explicit CellForwardOf(const EpilogueContext<Shape, T>& of)
      : CellForward<Shape, T>(this),
        cell_{{}, decltype(Cell::act)(of.call.activations)},
        masks_(of.call.masks),
        projects_(of.call.dims.projection),
        layout_(of.history.layout),
        of_units_(of.of_units),
        sequences_(of.rows.sequences),
        state_rows_(of.rows.state_rows),
        gate_rows_(of.rows.gate_rows),
        output_(of) {}

  void finish(int phase, const Step& step, Span panels, Span rows) const {
    if constexpr (Shape::phases == 2) {
      if (phase == 0) return stage<0>(step, panels, rows);
    }
    if constexpr (Projectable<Shape>) {
      if (projects_) return finish_projected(step, panels, rows);
    }
    masks_.kept_h.data ? finish_rows<Zoneout<T>, PlainOutput>(masks_, step, panels, rows)
                       : finish_rows<NoZoneout<T>, PlainOutput>(masks_, step, panels, rows);
  }

 private:
  static_assert(Shape::phases <= 2);

  template <int Phase>
  void stage(const Step& step, Span panels, Span rows) const {
    T* const next = const_cast<T*>(step.operands[Phase + 1]);
    with_inlined(cell_, [&](const auto& cell) {
      for (index r = rows.begin; r < rows.end; ++r) {
        for_groups(step, panels, r, [&](index, index at, T* slot, index stride) {
          V gate[L::P];
          for (int p = 0; p < L::P; ++p) gate[p] = load(slot + p * stride);
          store(next + at, cell.template stage<Phase>(gate, load(step.operands[0] + at)));
          for (int p = Shape::phase[Phase].begin; p < Shape::phase[Phase].end; ++p) {
            store(slot + p * stride, gate[p]);
          }
        });
      }
    });
  }

  // By itself, so that the compiler treats the plain step as if there were no other.
  [[gnu::noinline]] void finish_projected(const Step& step, Span panels, Span rows) const {
    const Masks<T> masks = of_c(masks_);
    masks.kept_c.data ? finish_rows<Zoneout<T>, ProjectedOutput>(masks, step, panels, rows)
                      : finish_rows<NoZoneout<T>, ProjectedOutput>(masks, step, panels, rows);
  }

  template <class Zone, class Output>
  void finish_rows(const Masks<T>& masks, const Step& step, Span panels, Span rows) const {
    with_inlined(cell_, [&](const auto& cell) {
      for (index r = rows.begin; r < rows.end; ++r) {
        const Zone zone(masks, sequences_[r], step.number);
        for_groups(step, panels, r, [&](index group, index at, T* slot, index stride) {
          V gate[L::P];
          for (int p = 0; p < L::P; ++p) gate[p] = load(slot + p * stride);
          State<V> state = {Output::projects ? V{} : load(step.before.h + at), V{}};
          if constexpr (Shape::has_memory) state.c = load(step.before.c + at);
          const auto& here = cell_at(cell, of_units_, group);
          state = zone.after(state, here.forward(gate, state), layout_, group);
          if constexpr (keep == Keep::all) {
            for (int p = 0; p < L::P; ++p) store(slot + p * stride, gate[p]);
          }
          output_.template leave<Output, keep>(step, r, group, state, layout_.valid(group));
        });
      }
    });
  }

  /// body(group, where it is in states, its slot, from one part of that to the next) for each group
  /// of a row in some panels.
  template <class Body>
  [[gnu::always_inline]] void for_groups(const Step& step, Span panels, index r,
                                         Body&& body) const {
    const index state = state_rows_[r] * layout_.row();
    for (index panel = panels.begin; panel < panels.end; ++panel) {
      T* const slot = step.panel(panel) + gate_rows_[r] * layout_.slot(panel);
      const index width = layout_.width(panel);
      for (index u = 0; u < width; ++u) {
        const index group = panel * L::U + u;
        body(group, state + group * L::N, slot + u * L::N, width * L::N);
      }
    }
  }

  const Cell cell_;
  const Masks<T> masks_;
  const bool projects_;
  const L layout_;
  const UnitWeights<Shape, T> of_units_;
  const SequenceRow* const sequences_;
  const index* const state_rows_;
  const index* const gate_rows_;
  const StepOutput<Shape, T> output_;
};

}  // namespace
}  // namespace rnnfast
