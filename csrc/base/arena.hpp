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

// Under AddressSanitizer the parts of an arena have poisoned lines between them.
#if defined(__SANITIZE_ADDRESS__)
extern "C" void __asan_poison_memory_region(const volatile void* begin, std::size_t bytes);
extern "C" void __asan_unpoison_memory_region(const volatile void* begin, std::size_t bytes);
#endif

namespace {

constexpr std::size_t cache_line = 64;

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t fence = cache_line;
inline void poison(const char* begin, const char* end) {
  __asan_poison_memory_region(begin, static_cast<std::size_t>(end - begin));
}
/// Of memory that goes back to somebody else.
inline void unpoison(const char* begin, std::size_t bytes) {
  __asan_unpoison_memory_region(begin, bytes);
}
#else
constexpr std::size_t fence = 0;
inline void poison(const char*, const char*) {}
inline void unpoison(const char*, std::size_t) {}
#endif

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
        __builtin_add_overflow(bytes, used_ + cache_line + fence, &end)) {
      used_ = static_cast<std::size_t>(-1) / 2;
      return nullptr;
    }
    const std::size_t next = end / cache_line * cache_line;
    T* const place = base_ ? reinterpret_cast<T*>(base_ + used_) : nullptr;
    if (base_) poison(base_ + used_ + bytes, base_ + next);
    used_ = next;
    return place;
  }

  std::size_t used() const { return used_; }
  /// Where the next would begin: of what takes as much as there is.
  char* end() const { return base_ ? base_ + used_ : nullptr; }

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
