// Which rows, panels and groups a worker owns under a plan, which of the rows take part in a step,
// and the copies of states in and out.
#pragma once

#include "base/threads.hpp"
#include "gemm/pack.hpp"
#include "seq/calls.hpp"
#include "seq/layout.hpp"
#include "seq/plan.hpp"

namespace rnnfast {
namespace {

struct Ownership {
  Span rows;
  Span panels;  // of the forward pass
  Span groups;  // of the backward pass
  bool meets;   // whether a phase's results come from several workers
};

template <class L>
inline Ownership ownership(const L& layout, index rows, Partition partition, const Worker& worker) {
  const Span all_rows = {0, rows};
  if (partition == Partition::rows) {
    return {
        share(rows, worker.id, worker.count), {0, layout.panels()}, {0, layout.groups()}, false};
  }
  return {all_rows, share(layout.panels(), worker.id, worker.count),
          share(layout.groups(), worker.id, worker.count), worker.count > 1};
}

/// The groups that a worker owns of a vector that it does not own by panels.
template <class R>
inline Span own_groups(const R& layout, Partition partition, const Worker& worker) {
  const Span all = {0, layout.groups()};
  return partition == Partition::rows ? all : share(all.end, worker.id, worker.count);
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
