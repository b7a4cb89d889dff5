// Sums over packed rows, t descending as on the CPU, a unit for each thread:
//
//   of a batch          in two: of a segment of rows each, then of the segments. How rows are cut
//                       follows from their number alone
//   of each sequence    over steps that as many sequences take, so that its rows lie as many apart
#pragma once

#include "cuda/general/device.hpp"
#include "cuda/slot.hpp"
#include "cuda/step_rows.hpp"

namespace rnnfast {
namespace {

/// Few enough to be done soon, enough that their sums are little to read.
constexpr index segment_rows = 64;

RNNFAST_BOTH constexpr index segments_of(index rows) { return ceil_div(rows, segment_rows); }

/// Rows that are summed up, from the last.
struct Strip {
  index first;
  index count;
  index apart = 1;

  RNNFAST_BOTH index row(index i) const { return first + i * apart; }
};

/// Rows of a block, from the first one on, for some sums.
struct SummedRows {
  index first;
  index count;
  index sequences;  // 0: they are all of a batch

  /// For how many the sums are.
  RNNFAST_BOTH index owners() const { return larger(sequences, 1); }
  RNNFAST_BOTH Strip of_owner(index owner) const {
    return {first + owner, count / owners(), owners()};
  }

  /// How many threads of a unit sum them up, and what each takes.
  RNNFAST_BOTH index strips() const { return sequences ? sequences : segments_of(count); }
  RNNFAST_BOTH Strip strip(index number) const {
    if (sequences) return of_owner(number);
    const index end = count - number * segment_rows;
    const index begin = larger(end - segment_rows, 0);
    return {first + begin, end - begin};
  }
};

/// to += the sums of segments, (segments, count).
template <class T>
struct AddSegments {
  index count;
  index segments;
  const T* from;
  T* to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, count);
    if (!own.is_there()) return;
    T sum = m.load(to + own.unit);
    for (index segment = 0; segment < segments; ++segment) {
      sum = sum + m.load(from + segment * count + own.unit);
    }
    m.store(to + own.unit, sum);
  }
};

/// Sums become the caller's, an owner for each row of the kernel.
template <class T, class Stored>
struct GiveSums {
  index count;
  StepRows owners;  // by rank; null: there is one, or each is its own sequence
  const T* from;    // of the first owner
  index from_apart;
  Stored* to;  // of the first sequence
  index to_apart;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, count);
    if (!own.is_there()) return;
    Stored* const given = to + owners.of(m, own.row).sequence * to_apart;
    store_as(m, given + own.unit, m.load(from + own.row * from_apart + own.unit));
  }
};

/// Of deltas, for biases; and of deltas times v^, for the gains of norms. `Deltas` is what they are
/// stored in: whole ones where there are norms, whose own parts of them nobody knows yet. A strip
/// for each row of the kernel.
template <class Cell, class Deltas>
struct PartSums {
  using T = ScalarOf<Deltas>;
  index units;
  SummedRows rows;
  const T* slots;        // (N, P, H)
  const Deltas* deltas;  // (N, P, H)
  T* bias;               // (strips, P, H), of deltas as they lie
  T* gain;               // (strips, P, H); of cells with norms

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    constexpr Range known = {Normalized<Cell> ? Cell::input.begin : 0, Cell::parts};
    const Strip strip = rows.strip(own.row);
    T straight[Cell::parts] = {};
    T along[Cell::parts] = {};
    for (index i = strip.count - 1; i >= 0; --i) {
      const index row = strip.row(i);
      T delta[Cell::parts];
      load_parts<known>(m, UnitSlot<Cell, const Deltas>(deltas, row, own.unit, units), delta);
      RNNFAST_UNROLL(16)
      for (int p = known.begin; p < known.end; ++p) straight[p] = straight[p] + delta[p];
      if constexpr (Normalized<Cell>) {
        T normalized[Cell::parts];
        load_parts<Range{0, Cell::input.end}>(
            m, UnitSlot<Cell, const T>(slots, row, own.unit, units), normalized);
        add_along<0>(m, row, own.unit, delta, normalized, along);
      }
    }
    store_parts<Range{0, Cell::parts}>(m, UnitSlot<Cell, T>(bias, own.row, own.unit, units),
                                       straight);
    if constexpr (Normalized<Cell>) {
      store_parts<Range{0, Cell::parts}>(m, UnitSlot<Cell, T>(gain, own.row, own.unit, units),
                                         along);
    }
  }

 private:
  // Part by part, since `delta_of` is known to the compiler alone.
  template <int p, class Machine>
  RNNFAST_BOTH void add_along(Machine& m, index row, index unit, const T (&delta)[Cell::parts],
                              const T (&normalized)[Cell::parts], T (&along)[Cell::parts]) const {
    constexpr int seen = Cell::delta_of[p];
    if constexpr (p < Cell::input.end) {
      along[p] = fma(delta[seen], normalized[p], along[p]);
    } else if constexpr (NormalizesMemory<Cell>) {
      const T own = m.load(UnitSlot<Cell, const T>(slots, row, unit, units).part(p));
      along[p] = fma(delta[seen], own, along[p]);
    }
    if constexpr (p + 1 < Cell::parts) add_along<p + 1>(m, row, unit, delta, normalized, along);
  }
};

/// The part whose deltas are those of a part as the cell sees it.
template <class Cell>
constexpr int delta_part(int part) {
  if constexpr (Normalized<Cell>) return Cell::delta_of[part];
  return part;
}

/// Of deltas times c, for weights that are a number for each unit; likewise.
template <class Cell, class Stored>
struct UnitWeightSums {
  using T = ScalarOf<Stored>;
  index units;
  SummedRows rows;
  const T* slots;
  const Stored* deltas;
  const T* c;  // (N, H), before the step
  T* to;       // (strips, U, H)

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const Strip strip = rows.strip(own.row);
    T sum[Cell::unit_weights] = {};
    for (index i = strip.count - 1; i >= 0; --i) {
      const index row = strip.row(i);
      T gate[Cell::parts];
      T delta[Cell::parts];
      load_parts<Range{0, Cell::parts}>(m, UnitSlot<Cell, const T>(slots, row, own.unit, units),
                                        gate);
      load_parts<Range{0, Cell::parts}>(
          m, UnitSlot<Cell, const Stored>(deltas, row, own.unit, units), delta);
      const State<T> prev = {T(0), m.load(c + row * units + own.unit)};
      add<0>(delta, prev.c, Cell::memory(gate, prev), sum);
    }
    RNNFAST_UNROLL(4)
    for (int i = 0; i < Cell::unit_weights; ++i) {
      m.store(to + (own.row * Cell::unit_weights + i) * units + own.unit, sum[i]);
    }
  }

 private:
  template <int i>
  RNNFAST_BOTH static void add(const T (&delta)[Cell::parts], T before, T after,
                               T (&sum)[Cell::unit_weights]) {
    constexpr int part = Cell::unit_weight_part[i];
    constexpr bool meets_new_c = Cell::meets_new_c[i];
    sum[i] = fma(delta[part], meets_new_c ? after : before, sum[i]);
    if constexpr (i + 1 < Cell::unit_weights) add<i + 1>(delta, before, after, sum);
  }
};

}  // namespace
}  // namespace rnnfast
