// The epilogue of cells with layer normalization, whose gates wait for a row's products to be
// complete. Whoever makes them owns the row.
#pragma once

#include "cpu/epilogue/layer_norm.hpp"
#include "cpu/forward/cell_forward.hpp"

namespace rnnfast {
namespace {

template <class Cell, class T>
class NormalizedForwardOf final : public CellForward<typename Cell::Shape, T> {
  using Shape = typename Cell::Shape;
  using Step = ForwardStep<Shape, T>;
  using L = Layout<Shape, T>;
  using V = Vec<T>;

 public:
  explicit NormalizedForwardOf(const EpilogueContext<Shape, T>& of)
      : CellForward<Shape, T>(this),
        cell_{{}, decltype(Cell::act)(of.call.activations)},
        masks_(of.call.masks),
        norm_(of.norm),
        history_(of.history),
        layout_(of.history.layout),
        sequences_(of.rows.sequences),
        state_rows_(of.rows.state_rows),
        gate_rows_(of.rows.gate_rows),
        output_(of) {}

  void finish(int, const Step& step, Span, Span rows) const {
    for (index r = rows.begin; r < rows.end; ++r) {
      const SequenceRow& of = sequences_[r];
      masks_.kept_h.data ? finish_row(step, r, Zoneout<T>(masks_, of, step.number))
                         : finish_row(step, r, NoZoneout<T>(masks_, of, step.number));
    }
  }

 private:
  template <class Zone>
  [[gnu::flatten]] void finish_row(const Step& step, index r, const Zone& zone) const {
    const SlotRow<Shape, T> row = step.slots.row(step.first_slot + gate_rows_[r]);
    T* const scales = history_.scales_of(step.number) + gate_rows_[r] * rnnfast::scales<Shape>();
    Moments<T> moments[Shape::norms];
    for_each_norm<Shape>([&](auto norm) {
      constexpr int n = norm.value;
      moments[n] = moments_of<Shape::norm[n], T>(layout_, row);
      scales[n] = moments[n].scale;
    });
    const index at = state_rows_[r] * layout_.row();
    for (index group = 0; group < layout_.groups(); ++group) {
      const auto slot = row.group(group);
      V part[L::P];
      for_each_norm<Shape>([&](auto norm) {
        for_each_part<Shape::norm[norm.value]>([&](int p) {
          part[p] = moments[norm.value].normalize(load<T>(slot.part(p)));
          if (history_.keep == Keep::all) store(slot.part(p), part[p]);
        });
      });
      scale_and_shift<product_parts<Shape>>(norm_, group, part);
      V gate[Shape::gates];
      cell_.activate(part, gate);
      State<V> prev = {load(step.before.h + at + group * L::N), V{}};
      if constexpr (NormalizesMemory<Shape>) {
        prev.c = load(step.before.c + at + group * L::N);
        store(step.after.c + at + group * L::N, Cell::memory(gate, prev));
        store(slot.part(Shape::memory_part), gate[Cell::o]);
      } else {
        leave(step, r, group, zone.after(prev, Cell::forward(gate, prev), layout_, group));
      }
    }
    if constexpr (NormalizesMemory<Shape>) {
      finish_memory(step, r, row, scales[Shape::norms], zone);
    }
  }

  template <class Zone>
  void finish_memory(const Step& step, index r, const SlotRow<Shape, T>& row, T& scale,
                     const Zone& zone) const {
    const index at = state_rows_[r] * layout_.row();
    const StateRow<T, L> c = {step.after.c + at};
    const Moments<T> moments = moments_of<Range{0, 1}, T>(layout_, c);
    scale = moments.scale;
    for (index group = 0; group < layout_.groups(); ++group) {
      T* const kept = row.group(group).part(Shape::memory_part);
      const index here = at + group * L::N;
      const State<V> prev = {load(step.before.h + here), load(step.before.c + here)};
      V part[L::P];
      part[Shape::memory_part] = moments.normalize(load(step.after.c + here));
      const V gate_o = load(kept);
      if (history_.keep == Keep::all) store(kept, part[Shape::memory_part]);
      scale_and_shift<Range{Shape::memory_part, Shape::memory_part + 1}>(norm_, group, part);
      const State<V> state = {cell_.output(gate_o, part[Shape::memory_part]),
                              load(step.after.c + here)};
      leave(step, r, group, zone.after(prev, state, layout_, group));
    }
  }

  void leave(const Step& step, index r, index group, const State<V>& state) const {
    const index valid = layout_.valid(group);
    history_.keep == Keep::all
        ? output_.template leave<PlainOutput, Keep::all>(step, r, group, state, valid)
        : output_.template leave<PlainOutput, Keep::latest>(step, r, group, state, valid);
  }

  const Cell cell_;
  const Masks<T> masks_;
  const NormWeights<Shape, T> norm_;
  const History<Shape, T>& history_;
  const L layout_;
  const SequenceRow* const sequences_;
  const index* const state_rows_;
  const index* const gate_rows_;
  const StepOutput<Shape, T> output_;
};

}  // namespace
}  // namespace rnnfast
