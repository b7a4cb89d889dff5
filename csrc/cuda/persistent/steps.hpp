// The steps of a launch, and the rows that take them: packed, those of each step after those of the
// step before, longest sequence first (cuda/general/rows.hpp).
#pragma once

#include "cuda/step_rows.hpp"

namespace rnnfast {
namespace {

/// Which rows take which steps.
struct StepTable {
  const index* first;            // (T + 1,): where the rows of a step begin; null: all take all
  const SequenceRow* sequences;  // null likewise
  index steps;                   // T
  index rows;                    // B

  template <class Machine>
  RNNFAST_BOTH index begin(Machine& m, index step) const {
    return first ? m.load(first + step) : step * rows;
  }
  template <class Machine>
  RNNFAST_BOTH index active(Machine& m, index step) const {
    return step < steps ? begin(m, step + 1) - begin(m, step) : 0;
  }
};

/// A step of a launch.
struct StepOfLaunch {
  index step;
  index at;      // of its first row among those of the launch
  index active;  // how many rows take it
  index next;    // and the step after it

  template <class Machine>
  RNNFAST_BOTH StepOfLaunch(Machine& m, const StepTable& table, const Span& steps, index step)
      : step(step),
        at(table.begin(m, step) - table.begin(m, steps.begin)),
        active(table.active(m, step)),
        next(table.active(m, step + 1)) {}

  RNNFAST_BOTH StepRows rows(const StepTable& table) const { return {table.sequences, step, next}; }
};

}  // namespace
}  // namespace rnnfast
