// The epilogue of cells with layer normalization, whose gates wait for a row's products to be
// complete. Whoever makes them owns the row.
#pragma once

#include "call/passes.hpp"
#include "cpu/epilogue/layer_norm.hpp"
#include "cpu/epilogue/zoneout.hpp"
#include "cpu/layout/forward_weights.hpp"
#include "cpu/layout/history.hpp"

namespace rnnfast {
namespace {

template <class Cell, class T, class Keep>
class NormalizedForward {
  using L = Layout<Cell, T>;
  using V = Vec<T>;

 public:
  /// Of a pass, whose own copies of all this it reads.
  NormalizedForward(const Cell& cell, const ForwardCall<T>& call,
                    const ForwardWeights<Cell, T>& weights, const History<Cell, T, Keep>& history,
                    const SequenceRow* sequences, const index* state_rows, const index* gate_rows)
      : cell_(cell),
        call_(call),
        weights_(weights),
        history_(history),
        layout_(history.layout),
        sequences_(sequences),
        state_rows_(state_rows),
        gate_rows_(gate_rows) {}

  /// Some private rows of a step of the pass. Calls leave(row, group, the state after it).
  template <class Step, class Leave>
  void finish_rows(const Step& step, Span rows, Leave&& leave) const {
    for (index r = rows.begin; r < rows.end; ++r) {
      const SequenceRow& of = sequences_[r];
      call_.masks.kept_h.data
          ? finish_row(step, r, Zoneout<T>(call_.masks, of, step.number), leave)
          : finish_row(step, r, NoZoneout<T>(call_.masks, of, step.number), leave);
    }
  }

 private:
  template <class Step, class Zone, class Leave>
  [[gnu::flatten]] void finish_row(const Step& step, index r, const Zone& zone,
                                   Leave&& leave) const {
    const SlotRow<Cell, T> row = step.slots.row(step.first_slot + gate_rows_[r]);
    T* const scales = history_.scales_of(step.number) + gate_rows_[r] * rnnfast::scales<Cell>();
    Moments<T> moments[Cell::norms];
    for_each_norm<Cell>([&](auto norm) {
      constexpr int n = norm.value;
      moments[n] = moments_of<Cell::norm[n], T>(layout_, row);
      scales[n] = moments[n].scale;
    });
    const index at = state_rows_[r] * layout_.row();
    for (index group = 0; group < layout_.groups(); ++group) {
      const auto slot = row.group(group);
      V part[L::P];
      for_each_norm<Cell>([&](auto norm) {
        for_each_part<Cell::norm[norm.value]>([&](int p) {
          part[p] = moments[norm.value].normalize(load<T>(slot.part(p)));
          if constexpr (Keep::gates) store(slot.part(p), part[p]);
        });
      });
      scale_and_shift<product_parts<Cell>>(weights_.norm, group, part);
      V gate[Cell::gates];
      cell_.activate(part, gate);
      State<V> prev = {load(step.before.h + at + group * L::N), V{}};
      if constexpr (NormalizesMemory<Cell>) {
        prev.c = load(step.before.c + at + group * L::N);
        store(step.after.c + at + group * L::N, Cell::memory(gate, prev));
        store(slot.part(Cell::memory_part), gate[Cell::o]);
      } else {
        leave(r, group, zone.after(prev, Cell::forward(gate, prev), layout_, group));
      }
    }
    if constexpr (NormalizesMemory<Cell>) {
      finish_memory(step, r, row, scales[Cell::norms], zone, leave);
    }
  }

  template <class Step, class Zone, class Leave>
  void finish_memory(const Step& step, index r, const SlotRow<Cell, T>& row, T& scale,
                     const Zone& zone, Leave&& leave) const {
    const index at = state_rows_[r] * layout_.row();
    const StateRow<T, L> c = {step.after.c + at};
    const Moments<T> moments = moments_of<Range{0, 1}, T>(layout_, c);
    scale = moments.scale;
    for (index group = 0; group < layout_.groups(); ++group) {
      T* const kept = row.group(group).part(Cell::memory_part);
      const index here = at + group * L::N;
      const State<V> prev = {load(step.before.h + here), load(step.before.c + here)};
      V part[L::P];
      part[Cell::memory_part] = moments.normalize(load(step.after.c + here));
      const V gate_o = load(kept);
      if constexpr (Keep::gates) store(kept, part[Cell::memory_part]);
      scale_and_shift<Range{Cell::memory_part, Cell::memory_part + 1}>(weights_.norm, group, part);
      const State<V> state = {cell_.output(gate_o, part[Cell::memory_part]),
                              load(step.after.c + here)};
      leave(r, group, zone.after(prev, state, layout_, group));
    }
  }

  const Cell& cell_;
  const ForwardCall<T>& call_;
  const ForwardWeights<Cell, T>& weights_;
  const History<Cell, T, Keep>& history_;
  const L& layout_;
  const SequenceRow* const sequences_;
  const index* const state_rows_;
  const index* const gate_rows_;
};

}  // namespace
}  // namespace rnnfast
