// Several layers at once: the calls of all parts, and memory for them, in one arena.
#pragma once

#include <vector>

#include "base/arena.hpp"
#include "bindings/plans.hpp"
#include "seq/sequences.hpp"

namespace rnnfast {

/// The parts of a stack, layer by layer, and what they point to.
template <class T>
struct Stack {
  std::vector<StackPart<T>> parts;
  std::vector<std::vector<SequenceRow>> rows;  // of each part, whose call reads them
};

/// Bytes between what one worker writes and another's, so that no prefetcher strays there.
constexpr std::size_t apart = 1024;

/// Gives each part its memory, `saved` excepted, and runs `function`. `work_bytes` is that of the
/// same function.
template <class T>
void run_parts(const CellKernels<T>& kernels, std::vector<StackPart<T>>& parts,
               const StackPlan& plan, index directions,
               std::size_t (*work_bytes)(const Dims&, const PlanSegment&),
               void (*function)(const StackCall<T>&)) {
  struct Sizes {
    std::size_t packed;
    std::size_t work;
  };
  std::vector<Sizes> sizes;
  std::size_t total = 0;
  for (const StackPart<T>& part : parts) {
    const Dims& dims = part.call.dims;
    sizes.push_back(
        {part.packed ? 0 : kernels.packed_bytes(dims), work_bytes(dims, part.plan) + apart});
    total += sizes.back().packed + sizes.back().work;
  }
  const Arena memory(total);
  char* free = memory.data();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].packed) parts[i].packed = free;
    free += sizes[i].packed;
    parts[i].work = free;
    free += sizes[i].work;
  }
  const auto layers = static_cast<index>(parts.size()) / directions;
  function({parts.data(), layers, directions, plan});
}

}  // namespace rnnfast
