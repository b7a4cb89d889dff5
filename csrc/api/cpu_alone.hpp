// Passes on the CPU by the thread that calls and no other, in memory that is there: for those who
// may not wait (csrc/serving/). Once memory is had, nothing is allocated, locked, waited for or
// thrown. The bits are those of any other pass.
//
//   plan_alone      serves every pass of no more rows than it was made for, and at most as many
//                   steps times rows
//   make_ready      works out all of a pass but the data, in `standing`
//   take_alone      the pass, any number of times
#pragma once

#include "api/call.hpp"
#include "api/packed.hpp"

namespace rnnfast {

CallPlan plan_alone(const Packed& weights, index steps, index rows);

/// What a pass needs, each part beginning on a cache line.
struct AloneBytes {
  std::size_t standing;
  std::size_t work;  // of one pass at a time
};
AloneBytes bytes_alone(const Packed& weights, const CallPlan& plan);

/// `call` has no spans; its last states may lie where its initial ones do.
void make_ready(const Packed& weights, const Call& call, const CallPlan& plan, char* work,
                char* standing) noexcept;

/// With other x and y of the same sizes and strides. The caller has set the mode of kernels
/// (base/cpu.hpp).
void take_alone(const Packed& weights, char* standing, const void* x, void* y) noexcept;

}  // namespace rnnfast
