// What packed weights and tapes begin with: what they were made with, so that nothing has to be
// told beside them.
#pragma once

#include <optional>

#include "api/cell_spec.hpp"
#include "api/scalar.hpp"

namespace rnnfast {

/// The plan of a call and what it was made for. It may be made ahead of the data, and serves every
/// call of its purpose and sizes.
struct CallPlan {
  Purpose purpose;
  const CellTraits* traits;  // of its cell, in its precision
  Dims dims;
  PlanSegment segment;
};

struct Header {
  CellSpec cell;
  ScalarType scalar;
  StorageType storage;
  const char* target;            // whose kernels know the layout
  const CellTraits* traits;      // of the cell, in this precision
  std::optional<CallPlan> plan;  // none where any will do
  Dims dims;                     // of weights without T and B
  // Of weights packed by the CPU's backend, so that a step asks for nothing twice: the cell's
  // InferenceKernels in this precision, and the epilogues that go with them.
  const void* kernels = nullptr;
  const void* epilogues = nullptr;

  Precision precision() const { return {scalar, storage}; }
};

}  // namespace rnnfast
