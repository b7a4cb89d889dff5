// The few lines that native tests need: TEST registers a function, CHECK counts and reports.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "cpu/dispatch/dispatch.hpp"

namespace rnnfast::testing {

struct Case {
  std::string name;
  std::function<void()> body;
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

inline int& failures() {
  static int count = 0;
  return count;
}

inline bool add(const char* name, std::function<void()> body) {
  cases().push_back({name, std::move(body)});
  return true;
}

/// Runs body(target, scalar of its kernels' type) for every target this processor can run.
template <class Body>
void for_each_kernel(Body&& body) {
  for (const Target* target : available_targets()) {
    body(*target, float{});
    body(*target, double{});
  }
}

/// The same numbers on every run and platform, in [-1, 1).
class Random {
 public:
  double next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 11) * 0x1p-52 - 1.0;
  }
  template <class T>
  std::vector<T> vector(index count) {
    std::vector<T> values(static_cast<std::size_t>(count));
    for (T& value : values) value = static_cast<T>(next());
    return values;
  }

 private:
  unsigned long long state_ = 1;
};

}  // namespace rnnfast::testing

#define TEST(name)                                                        \
  static void name();                                                     \
  static const bool name##_added = ::rnnfast::testing::add(#name, &name); \
  static void name()

#define CHECK(condition, ...)                                       \
  do {                                                              \
    if (!(condition)) {                                             \
      ++::rnnfast::testing::failures();                             \
      std::printf("  %s:%d: %s: ", __FILE__, __LINE__, #condition); \
      std::printf(__VA_ARGS__);                                     \
      std::printf("\n");                                            \
    }                                                               \
  } while (false)
