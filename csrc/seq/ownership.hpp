// Which rows, panels and groups belong to a share under a plan, which of the rows take part in a
// step, and the copies of states in and out.
#pragma once

#include "base/team.hpp"
#include "gemm/pack.hpp"
#include "seq/calls.hpp"
#include "seq/layout.hpp"
#include "seq/plan.hpp"

namespace rnnfast {
namespace {

/// Of so many things that make up a row, those of a share: all of them where shares are rows.
inline Span of_row(index things, Partition partition, const Share& own) {
  return partition == Partition::rows ? Span{0, things} : own.of(things);
}

/// Calls body(rows) for the rows that a pass takes together: within each share by itself where
/// shares are rows, else once with all of them.
template <class Body>
inline void for_rows(index rows, const PlanSegment& plan, Worker& worker, Body&& body) {
  if (plan.partition == Partition::rows) {
    worker.apart(plan.threads, [&](const Share& own) { body(own.of(rows)); });
  } else {
    body(Span{0, rows});
  }
}

/// The rows of a block that take part in a step, its first ones, since they hold the longest
/// sequences. `near` are those of the step before or after.
inline Span active_rows(const SequenceRow* rows, Span block, Span near, index step) {
  while (near.end > block.begin && rows[near.end - 1].length <= step) --near.end;
  while (near.end < block.end && rows[near.end].length > step) ++near.end;
  return near;
}

/// The sequences of private rows, as a call gives them or each row its own.
inline void list_sequences(const SequenceRow* given, Span rows, index steps, SequenceRow* to) {
  for (index r = rows.begin; r < rows.end; ++r) {
    to[r] = given ? given[r] : SequenceRow{r, r, 0, steps};
  }
}

/// A private row from an array (B, units) of the caller, or zeros where it is absent.
template <class T, class L>
inline void read_state(const T* from, const L& layout, index sequence, T* row) {
  pack_row(from ? from + sequence * layout.units : nullptr, from ? layout.units : 0,
           layout.groups() * L::N, row);
}

template <class T, class L>
inline void write_state(const T* row, const L& layout, index sequence, T* to) {
  if (!to) return;
  __builtin_memcpy(to + sequence * layout.units, row,
                   static_cast<std::size_t>(layout.units) * sizeof(T));
}

/// Zeros those of `steps` in a (T, B, `width`) array that a sequence does not take.
template <class T>
inline void clear_padding(const Sequence<T>& array, const SequenceRow& row, Span steps,
                          index width) {
  const Span taken = {row.first, row.first + row.length};
  for (index t = steps.begin; t < steps.end; ++t) {
    if (t >= taken.begin && t < taken.end) t = taken.end;
    if (t >= steps.end) break;
    __builtin_memset(array.data + t * array.step_stride + row.sequence * array.row_stride, 0,
                     static_cast<std::size_t>(width) * sizeof(T));
  }
}

}  // namespace
}  // namespace rnnfast
