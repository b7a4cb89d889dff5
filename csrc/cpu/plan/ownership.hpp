// Which rows, panels and groups belong to a share under a plan, and which of the rows take part in
// a step.
#pragma once

#include "base/team.hpp"
#include "call/passes.hpp"
#include "cpu/plan/plan.hpp"

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

}  // namespace
}  // namespace rnnfast
