// One aligned allocation per call. A workspace says what it needs once, in a `place(Bump&)` that is
// run twice: over a null base to measure, over the arena to hand out the parts.
#pragma once

#include <cstddef>

#include "base/dims.hpp"

namespace rnnfast {

class Arena {
 public:
  Arena() = default;
  explicit Arena(std::size_t bytes);  // throws std::bad_alloc
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  char* data() const;
  std::size_t size() const;

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

namespace {

constexpr std::size_t cache_line = 64;

class Bump {
 public:
  explicit Bump(char* base) : base_(base) {}

  /// The next `count` elements, on a cache line of their own. A size past 64 bits saturates, so
  /// that the allocation fails instead of wrapping around.
  template <class T>
  T* take(index count) {
    std::size_t bytes = 0;
    std::size_t end = 0;
    if (__builtin_mul_overflow(static_cast<std::size_t>(count), sizeof(T), &bytes) ||
        __builtin_add_overflow(bytes, used_ + cache_line, &end)) {
      used_ = static_cast<std::size_t>(-1) / 2;
      return nullptr;
    }
    T* place = base_ ? reinterpret_cast<T*>(base_ + used_) : nullptr;
    used_ = end / cache_line * cache_line;
    return place;
  }

  std::size_t used() const { return used_; }

 private:
  char* base_;
  std::size_t used_ = 0;
};

/// Bytes that `parts.place(bump)` asks for.
template <class Parts>
std::size_t measure(Parts& parts) {
  Bump bump(nullptr);
  parts.place(bump);
  return bump.used();
}

/// Hands out the parts of an arena that was made with `measure`.
template <class Parts>
void place_in(char* memory, Parts& parts) {
  Bump bump(memory);
  parts.place(bump);
}

}  // namespace
}  // namespace rnnfast
