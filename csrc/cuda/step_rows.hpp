// Rows at a step: which of the caller's sequences they are, where their states go and where the
// gradients of these come from.
//
// Rows stand in the order of their rank, longest sequence first, so that those that take a step are
// the first ones: the first `next` of them take the step after it too. States and gradients are by
// row, the caller's arrays by sequence.
#pragma once

#include "call/passes.hpp"
#include "cuda/slot.hpp"

namespace rnnfast {
namespace {

struct StepRows {
  const SequenceRow* sequences;  // null: row r is sequence r, and takes all steps
  index step;
  index next;

  template <class Machine>
  RNNFAST_BOTH SequenceRow of(Machine& m, index row) const {
    return sequences ? m.load(sequences + row) : SequenceRow{row, row, 0, 0};
  }

  /// What the caller has for a sequence at a step; null if that is absent.
  template <class T>
  RNNFAST_BOTH static T* at(const Sequence<T>& of, const SequenceRow& row, index step) {
    if (!of.data) return nullptr;
    return of.data + (row.first + step) * of.step_stride + row.sequence * of.row_stride;
  }

  template <class Machine>
  RNNFAST_BOTH static bool is_reset(Machine& m, const Sequence<const bool>& resets,
                                    const SequenceRow& row, index step) {
    const bool* const reset = at(resets, row, step);
    return reset && m.load(reset);
  }
};

/// Before a step: a state, h or c, that resets make zero, and of h the masked operand of the first
/// product.
template <class Stored>
struct BeginStep {
  using T = ScalarOf<Stored>;
  index units;
  StepRows rows;
  Sequence<const bool> resets;
  T* state;
  const T* mask;    // (B, H), by sequence; null: none, or it is c
  Stored* operand;  // null: the state itself is, or it is c

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    const SequenceRow row = rows.of(m, own.row);
    const bool reset = StepRows::is_reset(m, resets, row, rows.step);
    if (reset) m.store(state + own.at, T(0));
    if (mask) {
      const T factor = m.load(mask + row.sequence * units + own.unit);
      store_as(m, operand + own.at, factor * m.load(state + own.at));
    } else if (reset && operand) {
      store_as(m, operand + own.at, T(0));
    }
  }
};

/// Where the states after a step go.
template <class Stored>
struct StateAfter {
  using T = ScalarOf<Stored>;
  StepRows rows;
  States<T> next;      // before the next step
  Stored* operand;     // of its first product; null: h itself is, or it is made later
  States<T> last;      // of rows that take no more
  Sequence<Stored> y;  // null: it is known already
  Masks<T> masks;
  Stored* to_project = nullptr;  // what the cell gives, where a projection makes h of it

  /// Returns h, or what will be projected.
  template <bool has_memory, class Machine>
  RNNFAST_BOTH T leave(Machine& m, const Element& own, State<T> prev, State<T> state) const {
    const SequenceRow row = rows.of(m, own.row);
    T h = state.h;
    if (to_project) {
      store_as(m, to_project + own.at, h);
    } else {
      h = leave_h(m, own, row, prev.h, h);
    }
    if constexpr (has_memory) {
      const T* const kept = StepRows::at(masks.kept_c, row, rows.step);
      T* const to = own.row < rows.next ? next.c : last.c;
      m.store(to + own.at, mixed(m, kept, own.unit, prev.c, state.c));
    }
    return h;
  }

  template <class Machine>
  RNNFAST_BOTH T leave_h(Machine& m, const Element& own, const SequenceRow& row, T prev,
                         T state) const {
    const T h = mixed(m, StepRows::at(masks.kept_h, row, rows.step), own.unit, prev, state);
    m.store((own.row < rows.next ? next.h : last.h) + own.at, h);
    if (operand && own.row < rows.next) store_as(m, operand + own.at, h);
    Stored* const to = StepRows::at(y, row, rows.step);
    if (to) store_as(m, to + own.unit, h);
    return h;
  }

 private:
  /// Zoneout (cpu/epilogue/zoneout.hpp); null: none.
  template <class Machine>
  RNNFAST_BOTH static T mixed(Machine& m, const T* kept, index unit, T prev, T state) {
    if (!kept) return state;
    const T d = m.load(kept + unit);
    return fma(d, prev, (T(1) - d) * state);
  }
};

/// Where the gradients of the states after a step come from, and go.
template <class Stored>
struct StateGradients {
  using T = ScalarOf<Stored>;
  StepRows rows;
  States<T> d;                  // from the next step; on return for the one before
  States<const Stored> d_last;  // (B, H), by sequence; null: zero
  Sequence<const Stored> dy;    // null: zero
  const T* d_operand;           // of the next step's masked operand; null: it was h itself
  Sequence<const bool> resets;
  bool truncated;  // whether no gradient passes out of the next step
  Masks<T> masks;
  const T* d_m = nullptr;  // where a projection makes h of what the cell gives: of that

  /// Of what the cell gave, and what passes it by.
  template <bool has_memory, class Machine>
  RNNFAST_BOTH State<T> take(Machine& m, const Element& own, State<T>& passed) const {
    State<T> found = {T(0), T(0)};
    passed = found;
    found.h = d_m ? m.load(d_m + own.at) : take_h(m, own, passed.h);
    if constexpr (has_memory) found.c = take_c(m, own, passed.c);
    return found;
  }

  template <class Machine>
  RNNFAST_BOTH T take_h(Machine& m, const Element& own, T& passed) const {
    const SequenceRow row = rows.of(m, own.row);
    T found = of_state(m, own, row, d_last.h, d.h);
    if (d_operand && leads_on(m, own, row)) {
      const T mask = m.load(masks.recurrent + row.sequence * own.units + own.unit);
      found = fma(mask, m.load(d_operand + own.at), found);
    }
    const Stored* const of_y = StepRows::at(dy, row, rows.step);
    if (of_y) found = found + load_as<T>(m, of_y + own.unit);
    passed = split(m, StepRows::at(masks.kept_h, row, rows.step), own.unit, found);
    return found;
  }

  template <class Machine>
  RNNFAST_BOTH T take_c(Machine& m, const Element& own, T& passed) const {
    const SequenceRow row = rows.of(m, own.row);
    T found = of_state(m, own, row, d_last.c, d.c);
    passed = split(m, StepRows::at(masks.kept_c, row, rows.step), own.unit, found);
    return found;
  }

  template <bool has_memory, class Machine>
  RNNFAST_BOTH void give(Machine& m, const Element& own, State<T> gradient) const {
    if (!d_m) m.store(d.h + own.at, gradient.h);
    if constexpr (has_memory) m.store(d.c + own.at, gradient.c);
  }

 private:
  /// Whether the state is what the next step begins with.
  template <class Machine>
  RNNFAST_BOTH bool leads_on(Machine& m, const Element& own, const SequenceRow& row) const {
    return own.row < rows.next && !truncated && !StepRows::is_reset(m, resets, row, rows.step + 1);
  }

  template <class Machine>
  RNNFAST_BOTH T of_state(Machine& m, const Element& own, const SequenceRow& row,
                          const Stored* last, const T* next) const {
    if (leads_on(m, own, row)) return m.load(next + own.at);
    const bool ends = own.row >= rows.next && last;
    return ends ? load_as<T>(m, last + row.sequence * own.units + own.unit) : T(0);
  }

  /// Leaves in d, the gradient of what a step has left, that of what its cell gave; returns what
  /// passes the cell by (cpu/epilogue/zoneout.hpp).
  template <class Machine>
  RNNFAST_BOTH static T split(Machine& m, const T* kept, index unit, T& d) {
    if (!kept) return T(0);
    const T passed = m.load(kept + unit) * d;
    d = d - passed;
    return passed;
  }
};

}  // namespace
}  // namespace rnnfast
