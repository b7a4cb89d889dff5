// Python's lock, let go of while a kernel runs.
#pragma once

#include "base/threads.hpp"
#include "bindings/lock.hpp"

namespace rnnfast {

/// body() without the lock; what it throws is thrown on with the lock.
template <class Body>
decltype(auto) without_gil(Body&& body) {
  struct Released {
    PyThreadState* const state = release_gil();
    ~Released() { take_gil(state); }
  };
  const Released released;
  const RunningCall call;
  return body();
}

/// Makes calls ask Python, some ten times a second, whether a signal has come whose handler raises:
/// they then end with Interrupted, and what was raised stays set.
void watch_signals();

}  // namespace rnnfast
