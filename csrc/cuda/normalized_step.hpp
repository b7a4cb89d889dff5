// The same of cells with layer normalization (cuda/step.hpp), a row for each block, as its sums run
// over all units. A thread keeps to its own units.
//
//   finish_normalized         v^ of the parts and their scales, gates, the state after the step
//   step_backward_normalized  deltas of the parts as the cell sees them, in `delta_of`; those of
//   the
//                             recurrent product, through its norms, in its own parts
//
// Those of the input product go through its norms for many steps at once.
#pragma once

#include "call/passes.hpp"
#include "cuda/norm.hpp"

namespace rnnfast {
namespace {

template <class T>
struct FinishNormalizedCall {
  index units;
  T* slots;   // (B, P, H): complete products; v^ on return
  T* scales;  // (B, scales<Shape>()): of each norm, then of c
  NormArrays<T> norm;
  States<const T> before;
  States<T> after;
};

template <class Cell, int n = 0, class T, class Machine>
RNNFAST_BOTH void normalize_parts(Machine& m, const FinishNormalizedCall<T>& call) {
  constexpr Range parts = Cell::norm[n];
  const index row = m.block();
  const auto at = [&](index unit, int p) {
    return UnitSlot<Cell, T>(call.slots, row, unit, call.units).part(parts.begin + p);
  };
  const Moments<T> moments = moments_of<parts.count(), T>(
      m, call.units, [&](index unit, int p) { return m.load(at(unit, p)); });
  for (index unit = m.thread(); unit < call.units; unit += m.threads()) {
    for (int p = 0; p < parts.count(); ++p) {
      m.store(at(unit, p), moments.normalize(m.load(at(unit, p))));
    }
  }
  if (m.thread() == 0) m.store(call.scales + row * scales<Cell>() + n, moments.scale);
  if constexpr (n + 1 < Cell::norms) normalize_parts<Cell, n + 1>(m, call);
}

/// The gates of a unit from v^ of its parts.
template <class Cell, class Slot, class T, class Machine>
RNNFAST_BOTH void parts_and_gates(Machine& m, const Cell& cell, const Slot& slot,
                                  const NormArrays<T>& norm, index unit, T (&part)[Cell::parts],
                                  T (&gate)[Cell::gates]) {
  constexpr Range of_products = {Cell::phase[0].begin, Cell::input.end};
  load_parts<of_products>(m, slot, part);
  scale_and_shift<of_products>(m, norm, unit, slot.units, part);
  cell.activate(part, gate);
}

/// h from c, which is normalized on its way.
template <class Cell, class T, class Machine>
RNNFAST_BOTH void finish_memory(Machine& m, const Cell& cell, const FinishNormalizedCall<T>& call) {
  constexpr int own = Cell::memory_part;
  const index row = m.block();
  const T* const c = call.after.c + row * call.units;
  const Moments<T> moments =
      moments_of<1, T>(m, call.units, [&](index unit, int) { return m.load(c + unit); });
  if (m.thread() == 0) {
    m.store(call.scales + row * scales<Cell>() + Cell::norms, moments.scale);
  }
  for (index unit = m.thread(); unit < call.units; unit += m.threads()) {
    const UnitSlot<Cell, T> slot(call.slots, row, unit, call.units);
    T part[Cell::parts];
    T gate[Cell::gates];
    parts_and_gates(m, cell, slot, call.norm, unit, part, gate);
    part[own] = moments.normalize(m.load(c + unit));
    m.store(slot.part(own), part[own]);
    scale_and_shift<Range{own, own + 1}>(m, call.norm, unit, call.units, part);
    m.store(call.after.h + row * call.units + unit, cell.output(gate[Cell::o], part[own]));
  }
}

template <class Cell, class T, class Machine>
RNNFAST_BOTH void finish_normalized(Machine& m, const Cell& cell,
                                    const FinishNormalizedCall<T>& call) {
  normalize_parts<Cell>(m, call);
  const index row = m.block();
  for (index unit = m.thread(); unit < call.units; unit += m.threads()) {
    const index at = row * call.units + unit;
    T part[Cell::parts];
    T gate[Cell::gates];
    parts_and_gates(m, cell, UnitSlot<Cell, T>(call.slots, row, unit, call.units), call.norm, unit,
                    part, gate);
    State<T> prev = {m.load(call.before.h + at), T(0)};
    if constexpr (NormalizesMemory<Cell>) {
      prev.c = m.load(call.before.c + at);
      m.store(call.after.c + at, Cell::memory(gate, prev));
    } else {
      m.store(call.after.h + at, Cell::forward(gate, prev).h);
    }
  }
  if constexpr (NormalizesMemory<Cell>) finish_memory(m, cell, call);
}

template <class T>
struct StepBackwardNormalizedCall {
  index units;
  const T* slots;  // v^
  const T* scales;
  NormArrays<T> norm;
  States<const T> before;
  States<T> d;  // of the state after the step; on return of that before it
  T* deltas;    // (B, P, H)
};

/// From dL/dh to what is added to dL/dc.
template <class Cell, class T, class Machine>
RNNFAST_BOTH void output_backward(Machine& m, const Cell& cell,
                                  const StepBackwardNormalizedCall<T>& call) {
  constexpr int own = Cell::memory_part;
  const index row = m.block();
  const auto normalized = [&](index unit) {
    return UnitSlot<Cell, const T>(call.slots, row, unit, call.units);
  };
  const auto deltas = [&](index unit) {
    return UnitSlot<Cell, T>(call.deltas, row, unit, call.units);
  };
  for (index unit = m.thread(); unit < call.units; unit += m.threads()) {
    T part[Cell::parts];
    T gate[Cell::gates];
    parts_and_gates(m, cell, normalized(unit), call.norm, unit, part, gate);
    part[own] = m.load(normalized(unit).part(own));
    scale_and_shift<Range{own, own + 1}>(m, call.norm, unit, call.units, part);
    T delta[Cell::parts];
    cell.backward_output(gate, part[own], m.load(call.d.h + row * call.units + unit), delta);
    m.store(deltas(unit).part(own), delta[own]);
    m.store(deltas(unit).part(Cell::xo), delta[Cell::xo]);
  }
  back_through_norm<1>(
      m, call.units, m.load(call.scales + row * scales<Cell>() + Cell::norms),
      [&](index unit, int) {
        return m.load(call.norm.gain + own * call.units + unit) * m.load(deltas(unit).part(own));
      },
      [&](index unit, int) { return m.load(normalized(unit).part(own)); },
      [&](index unit, int, T d) {
        T* const dc = call.d.c + row * call.units + unit;
        m.store(dc, m.load(dc) + d);
      });
}

/// Deltas of the recurrent product's parts that are normalized together.
template <class Cell, int n = 0, class T, class Machine>
RNNFAST_BOTH void back_through_product(Machine& m, const StepBackwardNormalizedCall<T>& call) {
  constexpr Range parts = Cell::norm[n];
  constexpr int moved = Cell::delta_of[parts.begin] - parts.begin;
  if constexpr (Cell::phase[0].has(parts.begin)) {
    const index row = m.block();
    const auto delta = [&](index unit, int p) {
      return UnitSlot<Cell, T>(call.deltas, row, unit, call.units).part(p);
    };
    back_through_norm<parts.count()>(
        m, call.units, m.load(call.scales + row * scales<Cell>() + n),
        [&](index unit, int p) {
          return m.load(call.norm.gain + (parts.begin + p) * call.units + unit) *
                 m.load(delta(unit, parts.begin + p + moved));
        },
        [&](index unit, int p) {
          return m.load(
              UnitSlot<Cell, const T>(call.slots, row, unit, call.units).part(parts.begin + p));
        },
        [&](index unit, int p, T d) { m.store(delta(unit, parts.begin + p), d); });
  }
  if constexpr (n + 1 < Cell::norms) back_through_product<Cell, n + 1>(m, call);
}

template <class Cell, class T, class Machine>
RNNFAST_BOTH void step_backward_normalized(Machine& m, const Cell& cell,
                                           const StepBackwardNormalizedCall<T>& call) {
  if constexpr (NormalizesMemory<Cell>) output_backward(m, cell, call);
  const index row = m.block();
  for (index unit = m.thread(); unit < call.units; unit += m.threads()) {
    const index at = row * call.units + unit;
    const UnitSlot<Cell, T> deltas(call.deltas, row, unit, call.units);
    T part[Cell::parts];
    T gate[Cell::gates];
    parts_and_gates(m, cell, UnitSlot<Cell, const T>(call.slots, row, unit, call.units), call.norm,
                    unit, part, gate);
    State<T> prev = {m.load(call.before.h + at), T(0)};
    State<T> d = {m.load(call.d.h + at), T(0)};
    if constexpr (Cell::has_memory) {
      prev.c = m.load(call.before.c + at);
      d.c = m.load(call.d.c + at);
    }
    constexpr Range seen = {Cell::input.begin, Cell::parts};
    T delta[Cell::parts];
    if constexpr (NormalizesMemory<Cell>) {
      delta[Cell::xo] = m.load(deltas.part(Cell::xo));
      delta[Cell::memory_part] = m.load(deltas.part(Cell::memory_part));
    }
    cell.backward(part, gate, prev, d, delta);
    store_parts<seen>(m, deltas, delta);
    m.store(call.d.h + at, d.h);
    if constexpr (Cell::has_memory) m.store(call.d.c + at, d.c);
  }
  back_through_product<Cell>(m, call);
}

}  // namespace
}  // namespace rnnfast
