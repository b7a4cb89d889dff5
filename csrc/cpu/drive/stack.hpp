// What several layers at once are called with. cpu/drive/pipeline.hpp runs them.
#pragma once

#include "call/passes.hpp"
#include "cpu/plan/plan.hpp"

namespace rnnfast {

/// One layer in one direction, run by one worker. What it reads of the layer below, that one's `y`,
/// is not there yet.
template <class T>
struct StackPart {
  ForwardCall<T> call;
  PlanSegment plan;            // of plan_part
  WeightSet<const T> weights;  // packed first; null: they are packed already
  char* packed;
  char* saved;  // null unless saving
  char* work;   // of the size asked for
};

template <class T>
struct StackCall {
  const StackPart<T>* parts;  // [layers][directions]
  index layers;
  index directions;
  StackPlan plan;
};

}  // namespace rnnfast
