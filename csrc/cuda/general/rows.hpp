// Rows of a pass, packed: those that take its first step, by rank, then those that take the next.
#pragma once

#include <vector>

#include "cuda/general/device.hpp"
#include "cuda/persistent/steps.hpp"

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
  index count(const Span& steps) const { return first(steps.end) - first(steps.begin); }

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

/// Rows that come with the launch: nobody has to keep them until it is over, or is replayed.
struct WriteRows {
  static constexpr index most = 64;
  index count;
  SequenceRow rows[most];
  SequenceRow* to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, count);
    if (own.is_there()) m.store(to + own.at, rows[own.at]);
  }
};

/// Where the rows of each step begin, and after the last one where they end: (T + 1,).
struct FirstRows {
  index steps;
  index count;  // B
  const SequenceRow* rows;
  index* first;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, steps + 1);
    if (!own.is_there()) return;
    index before = 0;
    for (index row = 0; row < count; ++row) {
      before += smaller(m.load(rows + row).length, own.unit);
    }
    m.store(first + own.unit, before);
  }
};

/// A step for each row of the kernel.
struct FindPlaces {
  index count;  // B
  const SequenceRow* rows;
  const index* first;
  Place* places;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, count);
    if (!own.is_there()) return;
    const SequenceRow row = m.load(rows + own.unit);
    if (row.length <= own.row) return;
    m.store(places + m.load(first + own.row) + own.unit, Place{row.first + own.row, row.sequence});
  }
};

/// Rows by rank and their places, on the device.
struct RowTables {
  Dims dims;
  bool are_there;               // or all take all steps
  SequenceRow* rows = nullptr;  // (B,)
  index* first = nullptr;       // (T + 1,)
  Place* places = nullptr;      // (N,)

  template <class Memory>
  void place(Memory& memory) {
    if (!are_there) return;
    rows = memory.template take<SequenceRow>(dims.rows);
    first = memory.template take<index>(dims.steps + 1);
    places = memory.template take<Place>(dims.steps * dims.rows);
  }

  /// `of` lies on the host.
  template <class Device>
  void write(Device& device, const SequenceRow* of) const {
    if (!are_there) return;
    for (index row = 0; row < dims.rows; row += WriteRows::most) {
      WriteRows kernel = {smaller(WriteRows::most, dims.rows - row), {}, rows + row};
      for (index i = 0; i < kernel.count; ++i) kernel.rows[i] = of[row + i];
      run_elements(device, 1, kernel.count, kernel);
    }
    run_elements(device, 1, dims.steps + 1, FirstRows{dims.steps, dims.rows, rows, first});
    run_elements(device, dims.steps, dims.rows, FindPlaces{dims.rows, rows, first, places});
  }

  Places found() const { return {places, dims.rows}; }
  StepTable steps() const { return {first, rows, dims.steps, dims.rows}; }
};

/// Packs rows of the caller's sequences, from a row on.
template <class T>
struct Gather {
  index units;
  index first;
  Places places;
  Sequence<const T> from;
  T* to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const Place place = places.at(m, first + own.row);
    m.store(to + own.at, m.load(from.data + place.step * from.step_stride +
                                place.sequence * from.row_stride + own.unit));
  }
};

template <class Stored>
struct Scatter {
  using T = ScalarOf<Stored>;
  index units;
  index first;
  Places places;
  const T* from;
  Sequence<Stored> to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const Place place = places.at(m, first + own.row);
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
  T* last;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const index given = rows.of(m, own.row).sequence * units + own.unit;
    const T state = from ? load_as<T>(m, from + given) : T(0);
    m.store((own.row < rows.next ? next : last) + own.at, state);
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
