#include "serving/session.hpp"

#include <algorithm>

namespace rnnfast {
namespace {

// The input product of so many steps is made at once; two windows of them may have it interleaved.
constexpr index steps_at_once = 2 * input_window;

}  // namespace

Session::Session(std::shared_ptr<const Model> model)
    : streams_(std::move(model), 1, steps_at_once, 1) {}

void Session::step(const void* x, void* y) noexcept { streams_.take({1, 1, {x, 0, 0}, {y, 0, 0}}); }

void Session::run(index steps, Sequence<const void> x, Sequence<void> y) noexcept {
  const ScalarType scalar = model().scalar();
  for (index step = 0; step < steps; step += steps_at_once) {
    streams_.take({std::min(steps_at_once, steps - step), 1, beginning(x, step, 0, scalar),
                   beginning(y, step, 0, scalar)});
  }
}

}  // namespace rnnfast
