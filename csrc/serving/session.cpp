#include "serving/session.hpp"

#include <algorithm>

namespace rnnfast {
namespace {

// The input product of so many steps is made at once; two windows of them may have it interleaved.
constexpr index steps_at_once = 2 * input_window;

template <class T>
Sequence<T> rows_from(const Sequence<T>& all, index step, index number) {
  using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
  return {static_cast<Byte*>(all.data) + step * all.step_stride * number, all.step_stride,
          all.row_stride};
}

}  // namespace

Session::Session(std::shared_ptr<const Model> model)
    : streams_(std::move(model), 1, steps_at_once, 1) {}

void Session::step(const void* x, void* y) noexcept { streams_.take({1, 1, {x, 0, 0}, {y, 0, 0}}); }

void Session::run(index steps, Sequence<const void> x, Sequence<void> y) noexcept {
  const index number = size_of(model().scalar());
  for (index step = 0; step < steps; step += steps_at_once) {
    streams_.take({std::min(steps_at_once, steps - step), 1, rows_from(x, step, number),
                   rows_from(y, step, number)});
  }
}

}  // namespace rnnfast
