#include "api/cpu_alone.hpp"

#include "api/cpu_calls.hpp"
#include "api/planner.hpp"

namespace rnnfast {

CallPlan plan_alone(const Packed& weights, index steps, index rows) {
  const Header& made = weights.header();
  Dims dims = made.dims;
  dims.steps = steps;
  dims.rows = rows;
  return {Purpose::inference, made.traits, dims,
          plan_for_threads(Purpose::inference, dims, *made.traits, 1)};
}

AloneBytes bytes_alone(const Packed& weights, const CallPlan& plan) {
  const Header& made = weights.header();
  return with_scalar(made.scalar, [&](auto zero) -> AloneBytes {
    const auto& kernels = kernels_of<decltype(zero)>(made);
    return {kernels.standing_bytes, kernels.stack_work(plan.dims, plan.segment)};
  });
}

void make_ready(const Packed& weights, const Call& call, const CallPlan& plan, char* work,
                char* standing) noexcept {
  const Header& made = weights.header();
  with_scalar(made.scalar, [&](auto zero) {
    using T = decltype(zero);
    kernels_of<T>(made).make_ready(forward_call<T>(call, made.cell, {}),
                                   narrowed(plan.segment, call.dims.steps, call.dims.rows),
                                   weights.data(), work, standing);
  });
}

void take_alone(const Packed& weights, char* standing, const void* x, void* y) noexcept {
  const Header& made = weights.header();
  with_scalar(made.scalar, [&](auto zero) {
    using T = decltype(zero);
    kernels_of<T>(made).take_alone(made.epilogues, standing, static_cast<const T*>(x),
                                   static_cast<T*>(y));
  });
}

}  // namespace rnnfast
