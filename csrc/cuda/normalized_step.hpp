// The same of cells with layer normalization (cuda/step.hpp), a row for each block, as its sums run
// over all units. A thread keeps to its own units.
//
//   FinishNormalized        v^ of the parts and their scales, the state after the step
//   StepBackwardNormalized  `seen`, deltas of the parts as the cell sees them, in `delta_of`; those
//                           of the recurrent product, through its norms, in its own parts
//
//   BackThroughInputNorms   deltas of the input product, through its norms
#pragma once

#include "cuda/norm.hpp"
#include "cuda/step_rows.hpp"

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

template <class Cell, class Stored>
struct FinishNormalized {
  using T = ScalarOf<Stored>;
  Cell cell;
  index units;
  T* slots;   // complete products; v^ on return
  T* scales;  // (B, norms): of each, then of c
  NormArrays<T> norm;
  States<const T> before;
  StateAfter<Stored> after;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    normalize_parts<0>(m);
    for (index unit = m.thread(); unit < units; unit += m.threads()) {
      const Element own(m.block(), unit, units);
      T part[Cell::parts];
      T gate[Cell::gates];
      row(m).parts_and_gates(m, cell, unit, part, gate);
      if constexpr (NormalizesMemory<Cell>) {
        const State<T> prev = {T(0), m.load(before.c + own.at)};
        m.store(slot(m, unit).part(Cell::memory_part), Cell::memory(gate, prev));
      } else {
        const State<T> prev = {m.load(before.h + own.at), T(0)};
        after.template leave<false>(m, own, prev, Cell::forward(gate, prev));
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
    constexpr int kept = Cell::memory_part;
    const Moments<T> moments = moments_of<1, T>(
        m, units, [&](index unit, int) { return m.load(slot(m, unit).part(kept)); });
    keep_scale(m, Cell::norms, moments.scale);
    for (index unit = m.thread(); unit < units; unit += m.threads()) {
      const Element own(m.block(), unit, units);
      T part[Cell::parts];
      T gate[Cell::gates];
      row(m).parts_and_gates(m, cell, unit, part, gate);
      const T c = m.load(slot(m, unit).part(kept));
      part[kept] = moments.normalize(c);
      m.store(slot(m, unit).part(kept), part[kept]);
      scale_and_shift<Range{kept, kept + 1}>(m, norm, unit, units, part);
      const State<T> prev = {m.load(before.h + own.at), m.load(before.c + own.at)};
      after.template leave<true>(m, own, prev, {cell.output(gate[Cell::o], part[kept]), c});
    }
  }
};

/// From deltas of parts as the cell sees them to those of the `product` that they come from, of a
/// block's row. `deltas` are other memory, or the same.
template <Range product, int n = 0, class Machine, class Cell, class T, class Stored>
RNNFAST_BOTH inline void back_through_norms(Machine& m, const NormalizedRow<Cell, T>& row,
                                            const T* scales, const T* seen, Stored* deltas) {
  constexpr Range parts = Cell::norm[n];
  constexpr int seen_part = Cell::delta_of[parts.begin];
  if constexpr (product.has(parts.begin)) {
    back_through_norm<parts.count()>(
        m, row.units, m.load(scales + row.row * rnnfast::scales<Cell>() + n),
        [&](index unit, int p) {
          return m.load(row.norm.gain + (parts.begin + p) * row.units + unit) *
                 m.load(
                     UnitSlot<Cell, const T>(seen, row.row, unit, row.units).part(seen_part + p));
        },
        [&](index unit, int p) { return m.load(row.at(unit).part(parts.begin + p)); },
        [&](index unit, int p, T dv) {
          const UnitSlot<Cell, Stored> to(deltas, row.row, unit, row.units);
          store_as(m, to.part(parts.begin + p), dv);
        });
  }
  if constexpr (n + 1 < Cell::norms) {
    back_through_norms<product, n + 1>(m, row, scales, seen, deltas);
  }
}

template <class Cell, class Stored>
struct StepBackwardNormalized {
  using T = ScalarOf<Stored>;
  Cell cell;
  index units;
  const T* slots;  // v^
  const T* scales;
  NormArrays<T> norm;
  States<const T> before;
  StateGradients<Stored> gradients;
  T* seen;
  Stored* deltas;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    if constexpr (NormalizesMemory<Cell>) output_backward(m);
    for (index unit = m.thread(); unit < units; unit += m.threads()) {
      const Element own(m.block(), unit, units);
      const UnitSlot<Cell, T> to = seen_of(m, unit);
      T part[Cell::parts];
      T gate[Cell::gates];
      T delta[Cell::parts];
      row(m).parts_and_gates(m, cell, unit, part, gate);
      State<T> prev = {m.load(before.h + own.at), T(0)};
      State<T> passed;
      State<T> d;
      if constexpr (NormalizesMemory<Cell>) {
        prev.c = m.load(before.c + own.at);
        d = {T(0), m.load(gradients.d.c + own.at)};
        passed = {m.load(gradients.d.h + own.at), m.load(to.part(Cell::input.begin))};
        delta[Cell::xo] = m.load(to.part(Cell::xo));
        delta[Cell::memory_part] = m.load(to.part(Cell::memory_part));
      } else {
        d = gradients.template take<false>(m, own, passed);
      }
      cell.backward(part, gate, prev, d, delta);
      store_parts<Range{Cell::input.begin, Cell::parts}>(m, to, delta);
      gradients.template give<Cell::has_memory>(m, own, {d.h + passed.h, d.c + passed.c});
    }
    back_through_norms<Cell::phase[0]>(m, row(m), scales, seen, deltas);
  }

 private:
  template <class Machine>
  RNNFAST_BOTH NormalizedRow<Cell, T> row(const Machine& m) const {
    return {slots, norm, m.block(), units};
  }
  template <class Machine>
  RNNFAST_BOTH UnitSlot<Cell, T> seen_of(const Machine& m, index unit) const {
    return {seen, m.block(), unit, units};
  }
  template <class Machine>
  RNNFAST_BOTH T scale(Machine& m, int n) const {
    return m.load(scales + m.block() * rnnfast::scales<Cell>() + n);
  }

  /// From dL/dh to what is added to dL/dc. What passes the cell by waits in dh, and in a part of
  /// the deltas that is not known yet.
  template <class Machine>
  RNNFAST_BOTH void output_backward(Machine& m) const {
    constexpr int own_part = Cell::memory_part;
    for (index unit = m.thread(); unit < units; unit += m.threads()) {
      const Element own(m.block(), unit, units);
      const UnitSlot<Cell, T> to = seen_of(m, unit);
      T part[Cell::parts];
      T gate[Cell::gates];
      row(m).parts_and_gates(m, cell, unit, part, gate);
      part[own_part] = m.load(row(m).at(unit).part(own_part));
      scale_and_shift<Range{own_part, own_part + 1}>(m, norm, unit, units, part);
      State<T> passed;
      const State<T> d = gradients.template take<true>(m, own, passed);
      T delta[Cell::parts];
      cell.backward_output(gate, part[own_part], d.h, delta);
      m.store(to.part(own_part), delta[own_part]);
      m.store(to.part(Cell::xo), delta[Cell::xo]);
      m.store(to.part(Cell::input.begin), passed.c);
      gradients.template give<true>(m, own, {passed.h, d.c});
    }
    back_through_norm<1>(
        m, units, scale(m, Cell::norms),
        [&](index unit, int) {
          return m.load(norm.gain + own_part * units + unit) *
                 m.load(seen_of(m, unit).part(own_part));
        },
        [&](index unit, int) { return m.load(row(m).at(unit).part(own_part)); },
        [&](index unit, int, T dv) {
          T* const dc = gradients.d.c + m.block() * units + unit;
          m.store(dc, m.load(dc) + dv);
        });
  }
};

/// Of many steps at once, when nobody needs the deltas that the cell sees any more.
template <class Cell, class Stored>
struct BackThroughInputNorms {
  using T = ScalarOf<Stored>;
  index units;
  const T* slots;  // v^
  const T* scales;
  NormArrays<T> norm;
  const T* seen;
  Stored* deltas;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const NormalizedRow<Cell, T> row = {slots, norm, m.block(), units};
    back_through_norms<Cell::input>(m, row, scales, seen, deltas);
  }
};

}  // namespace
}  // namespace rnnfast
