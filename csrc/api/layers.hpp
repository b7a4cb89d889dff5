// Several layers, each in one direction or in two, that run at once.
#pragma once

#include <vector>

#include "api/call.hpp"
#include "api/packed.hpp"

namespace rnnfast {

/// One of them, in one direction.
struct LayerCall {
  Call call;  // x of a layer is what those below write
  CallPlan plan;
  WeightSet<const void> weights;
  const Packed* packed;  // the same, packed; null: they are to be
};

struct LayersCall {
  CellSpec cell;
  Precision precision;
  index directions;
  StackPlan plan;
  std::vector<LayerCall> layers;  // layer by layer, one direction beside the other
};

}  // namespace rnnfast
