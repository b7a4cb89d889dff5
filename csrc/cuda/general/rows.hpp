// Rows of a pass, packed: those that take its first step, by rank, then those that take the next.
#pragma once

#include <vector>

#include "cuda/step_rows.hpp"

namespace rnnfast {
namespace {

/// How many rows take each step, and where they begin among all.
class PackedRows {
 public:
  /// `rows` by rank; null: all take all steps.
  PackedRows(const Dims& dims, const SequenceRow* rows) {
    for (index step = 0; step < dims.steps; ++step) {
      index active = rows ? 0 : dims.rows;
      while (rows && active < dims.rows && rows[active].length > step) ++active;
      if (active == 0) break;
      begin_.push_back(begin_.back() + active);
    }
  }

  /// Steps that anybody takes.
  index steps() const { return static_cast<index>(begin_.size()) - 1; }
  index count() const { return begin_.back(); }
  index first(index step) const { return begin_[static_cast<std::size_t>(step)]; }
  index active(index step) const { return step < steps() ? first(step + 1) - first(step) : 0; }

 private:
  std::vector<index> begin_ = {0};
};

/// Where a packed row lies in the caller's sequences.
struct Place {
  index step;
  index sequence;
};

struct Places {
  const Place* of;  // null: all take all steps
  index rows;       // B

  template <class Machine>
  RNNFAST_BOTH Place at(Machine& m, index row) const {
    return of ? m.load(of + row) : Place{row / rows, row % rows};
  }
};

inline std::vector<Place> places_of(const PackedRows& packed, const SequenceRow* rows) {
  std::vector<Place> places;
  for (index step = 0; step < packed.steps(); ++step) {
    for (index r = 0; r < packed.active(step); ++r) {
      places.push_back({rows[r].first + step, rows[r].sequence});
    }
  }
  return places;
}

/// Packs the caller's sequences.
template <class T>
struct Gather {
  index units;
  Places places;
  Sequence<const T> from;
  T* to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const Place place = places.at(m, own.row);
    m.store(to + own.at, m.load(from.data + place.step * from.step_stride +
                                place.sequence * from.row_stride + own.unit));
  }
};

template <class Stored>
struct Scatter {
  using T = ScalarOf<Stored>;
  index units;
  Places places;
  const T* from;
  Sequence<Stored> to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const Place place = places.at(m, own.row);
    store_as(m, to.data + place.step * to.step_stride + place.sequence * to.row_stride + own.unit,
             m.load(from + own.at));
  }
};

/// Zeros what sequences do not take, a row of the kernel for each of them.
template <class T>
struct ClearPadding {
  index units;
  index steps;
  const SequenceRow* rows;
  Sequence<T> of;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const SequenceRow row = m.load(rows + own.row);
    for (index step = 0; step < steps; ++step) {
      if (row.first <= step && step < row.first + row.length) continue;
      m.store(of.data + step * of.step_stride + row.sequence * of.row_stride + own.unit, T{});
    }
  }
};

/// A state before the first step: of rows that take one, and of the others, whose last it is too.
template <class Stored>
struct ReadState {
  using T = ScalarOf<Stored>;
  index units;
  StepRows rows;       // next: those that take the first step
  const Stored* from;  // (B, units), by sequence; null: zero
  T* next;
  Stored* operand;  // as in StateAfter
  T* last;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const index given = rows.of(m, own.row).sequence * units + own.unit;
    const T state = from ? load_as<T>(m, from + given) : T(0);
    m.store((own.row < rows.next ? next : last) + own.at, state);
    if (operand && own.row < rows.next) store_as(m, operand + own.at, state);
  }
};

/// A state after a row's last step.
template <class Stored>
struct WriteState {
  using T = ScalarOf<Stored>;
  index units;
  StepRows rows;
  const T* from;
  Stored* to;  // (B, units), by sequence

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    store_as(m, to + rows.of(m, own.row).sequence * units + own.unit, m.load(from + own.at));
  }
};

}  // namespace
}  // namespace rnnfast
