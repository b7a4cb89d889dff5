// The same of cells with layer normalization (cuda/step.hpp), a row for each block, as its sums run
// over all units. A thread keeps to its own units.
//
//   FinishNormalized        v^ of the parts and their scales, the state after the step
//   StepBackwardNormalized  deltas of the parts as the cell sees them, in `delta_of`; those of the
//                           recurrent product, through its norms, in its own parts
//
// Those of the input product go through its norms for many steps at once.
#pragma once

#include "call/passes.hpp"
#include "cuda/norm.hpp"

namespace rnnfast {
namespace {

/// v^ of a row, and what makes parts of it.
template <class Cell, class T>
struct NormalizedRow {
  const T* slots;
  NormArrays<T> norm;
  index row;
  index units;

  RNNFAST_BOTH UnitSlot<Cell, const T> at(index unit) const { return {slots, row, unit, units}; }

  /// The parts of a unit as the cell sees them, and its gates, from v^.
  template <class Machine>
  RNNFAST_BOTH void parts_and_gates(Machine& m, const Cell& cell, index unit,
                                    T (&part)[Cell::parts], T (&gate)[Cell::gates]) const {
    constexpr Range of_products = {Cell::phase[0].begin, Cell::input.end};
    load_parts<of_products>(m, at(unit), part);
    scale_and_shift<of_products>(m, norm, unit, units, part);
    cell.activate(part, gate);
  }
};

template <class Cell, class T>
struct FinishNormalized {
  Cell cell;
  index units;
  T* slots;   // complete products; v^ on return
  T* scales;  // (B, norms): of each, then of c
  NormArrays<T> norm;
  States<const T> before;
  States<T> after;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    normalize_parts<0>(m);
    for (index unit = m.thread(); unit < units; unit += m.threads()) {
      const index at = m.block() * units + unit;
      T part[Cell::parts];
      T gate[Cell::gates];
      row(m).parts_and_gates(m, cell, unit, part, gate);
      State<T> prev = {m.load(before.h + at), T(0)};
      if constexpr (NormalizesMemory<Cell>) {
        prev.c = m.load(before.c + at);
        m.store(after.c + at, Cell::memory(gate, prev));
      } else {
        m.store(after.h + at, Cell::forward(gate, prev).h);
      }
    }
    if constexpr (NormalizesMemory<Cell>) finish_memory(m);
  }

 private:
  template <class Machine>
  RNNFAST_BOTH NormalizedRow<Cell, T> row(const Machine& m) const {
    return {slots, norm, m.block(), units};
  }
  template <class Machine>
  RNNFAST_BOTH UnitSlot<Cell, T> slot(const Machine& m, index unit) const {
    return {slots, m.block(), unit, units};
  }

  template <class Machine>
  RNNFAST_BOTH void keep_scale(Machine& m, int n, T scale) const {
    if (m.thread() == 0) {
      m.store(scales + m.block() * rnnfast::scales<Cell>() + n, scale);
    }
  }

  template <int n, class Machine>
  RNNFAST_BOTH void normalize_parts(Machine& m) const {
    constexpr Range parts = Cell::norm[n];
    const auto at = [&](index unit, int p) { return slot(m, unit).part(parts.begin + p); };
    const Moments<T> moments = moments_of<parts.count(), T>(
        m, units, [&](index unit, int p) { return m.load(at(unit, p)); });
    for (index unit = m.thread(); unit < units; unit += m.threads()) {
      for (int p = 0; p < parts.count(); ++p) {
        m.store(at(unit, p), moments.normalize(m.load(at(unit, p))));
      }
    }
    keep_scale(m, n, moments.scale);
    if constexpr (n + 1 < Cell::norms) normalize_parts<n + 1>(m);
  }

  /// h from c, which is normalized on its way.
  template <class Machine>
  RNNFAST_BOTH void finish_memory(Machine& m) const {
    constexpr int own = Cell::memory_part;
    const T* const c = after.c + m.block() * units;
    const Moments<T> moments =
        moments_of<1, T>(m, units, [&](index unit, int) { return m.load(c + unit); });
    keep_scale(m, Cell::norms, moments.scale);
    for (index unit = m.thread(); unit < units; unit += m.threads()) {
      T part[Cell::parts];
      T gate[Cell::gates];
      row(m).parts_and_gates(m, cell, unit, part, gate);
      part[own] = moments.normalize(m.load(c + unit));
      m.store(slot(m, unit).part(own), part[own]);
      scale_and_shift<Range{own, own + 1}>(m, norm, unit, units, part);
      m.store(after.h + m.block() * units + unit, cell.output(gate[Cell::o], part[own]));
    }
  }
};

template <class Cell, class T>
struct StepBackwardNormalized {
  Cell cell;
  index units;
  const T* slots;  // v^
  const T* scales;
  NormArrays<T> norm;
  States<const T> before;
  States<T> d;  // of the state after the step; on return of that before it
  T* deltas;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    if constexpr (NormalizesMemory<Cell>) output_backward(m);
    for (index unit = m.thread(); unit < units; unit += m.threads()) {
      const index at = m.block() * units + unit;
      T part[Cell::parts];
      T gate[Cell::gates];
      row(m).parts_and_gates(m, cell, unit, part, gate);
      State<T> prev = {m.load(before.h + at), T(0)};
      State<T> d_state = {m.load(d.h + at), T(0)};
      if constexpr (Cell::has_memory) {
        prev.c = m.load(before.c + at);
        d_state.c = m.load(d.c + at);
      }
      const UnitSlot<Cell, T> to = deltas_of(m, unit);
      T delta[Cell::parts];
      if constexpr (NormalizesMemory<Cell>) {
        delta[Cell::xo] = m.load(to.part(Cell::xo));
        delta[Cell::memory_part] = m.load(to.part(Cell::memory_part));
      }
      cell.backward(part, gate, prev, d_state, delta);
      store_parts<Range{Cell::input.begin, Cell::parts}>(m, to, delta);
      m.store(d.h + at, d_state.h);
      if constexpr (Cell::has_memory) m.store(d.c + at, d_state.c);
    }
    back_through_product<0>(m);
  }

 private:
  template <class Machine>
  RNNFAST_BOTH NormalizedRow<Cell, T> row(const Machine& m) const {
    return {slots, norm, m.block(), units};
  }
  template <class Machine>
  RNNFAST_BOTH UnitSlot<Cell, T> deltas_of(const Machine& m, index unit) const {
    return {deltas, m.block(), unit, units};
  }
  template <class Machine>
  RNNFAST_BOTH T scale(Machine& m, int n) const {
    return m.load(scales + m.block() * rnnfast::scales<Cell>() + n);
  }

  /// From dL/dh to what is added to dL/dc.
  template <class Machine>
  RNNFAST_BOTH void output_backward(Machine& m) const {
    constexpr int own = Cell::memory_part;
    for (index unit = m.thread(); unit < units; unit += m.threads()) {
      T part[Cell::parts];
      T gate[Cell::gates];
      row(m).parts_and_gates(m, cell, unit, part, gate);
      part[own] = m.load(row(m).at(unit).part(own));
      scale_and_shift<Range{own, own + 1}>(m, norm, unit, units, part);
      T delta[Cell::parts];
      cell.backward_output(gate, part[own], m.load(d.h + m.block() * units + unit), delta);
      m.store(deltas_of(m, unit).part(own), delta[own]);
      m.store(deltas_of(m, unit).part(Cell::xo), delta[Cell::xo]);
    }
    back_through_norm<1>(
        m, units, scale(m, Cell::norms),
        [&](index unit, int) {
          return m.load(norm.gain + own * units + unit) * m.load(deltas_of(m, unit).part(own));
        },
        [&](index unit, int) { return m.load(row(m).at(unit).part(own)); },
        [&](index unit, int, T dv) {
          T* const dc = d.c + m.block() * units + unit;
          m.store(dc, m.load(dc) + dv);
        });
  }

  /// Deltas of the recurrent product's parts that are normalized together.
  template <int n, class Machine>
  RNNFAST_BOTH void back_through_product(Machine& m) const {
    constexpr Range parts = Cell::norm[n];
    constexpr int seen = Cell::delta_of[parts.begin];
    if constexpr (Cell::phase[0].has(parts.begin)) {
      back_through_norm<parts.count()>(
          m, units, scale(m, n),
          [&](index unit, int p) {
            return m.load(norm.gain + (parts.begin + p) * units + unit) *
                   m.load(deltas_of(m, unit).part(seen + p));
          },
          [&](index unit, int p) { return m.load(row(m).at(unit).part(parts.begin + p)); },
          [&](index unit, int p, T dv) { m.store(deltas_of(m, unit).part(parts.begin + p), dv); });
    }
    if constexpr (n + 1 < Cell::norms) back_through_product<n + 1>(m);
  }
};

}  // namespace
}  // namespace rnnfast
