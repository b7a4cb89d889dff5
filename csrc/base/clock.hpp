// Time, for waits and for how calls fare.
#pragma once

#include <chrono>

namespace rnnfast {

/// Nanoseconds since some moment.
inline long long now_ns() {
  using Nanoseconds = std::chrono::nanoseconds;
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Nanoseconds>(since).count();
}

}  // namespace rnnfast
