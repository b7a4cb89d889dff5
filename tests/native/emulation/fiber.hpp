// A function with a stack of its own, which runs until it pauses and goes on from there.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RNNFAST_FIBERS_UNDER_TSAN
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define RNNFAST_FIBERS_UNDER_TSAN
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(RNNFAST_FIBERS_UNDER_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace rnnfast::emulation {

/// One of a fiber that has ended, if there is one: fresh pages take longer than most fibers run.
class Stack {
 public:
  static constexpr std::size_t bytes = std::size_t{256} << 10;

  Stack() {
    if (idle().empty()) idle().emplace_back(new std::byte[bytes]);
    memory_ = std::move(idle().back());
    idle().pop_back();
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack() {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(begin(), bytes);  // frames of a fiber that was given up
#endif
    idle().push_back(std::move(memory_));
  }

  std::byte* begin() const { return memory_.get(); }

 private:
  static std::vector<std::unique_ptr<std::byte[]>>& idle() {
    static std::vector<std::unique_ptr<std::byte[]>> stacks;
    return stacks;
  }

  std::unique_ptr<std::byte[]> memory_;
};

class Fiber {
 public:
  explicit Fiber(std::function<void()> body) : body_(std::move(body)) {
    getcontext(&own_);
    own_.uc_stack.ss_sp = stack_.begin();
    own_.uc_stack.ss_size = Stack::bytes;
    own_.uc_link = nullptr;
    makecontext(&own_, &Fiber::begin, 0);
#if defined(RNNFAST_FIBERS_UNDER_TSAN)
    sanitizers_ = __tsan_create_fiber(0);
#endif
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  /// One that has not come to its end is given up where it stands.
  ~Fiber() {
#if defined(RNNFAST_FIBERS_UNDER_TSAN)
    __tsan_destroy_fiber(sanitizers_);
#endif
  }

  bool done() const { return done_; }

  /// Runs it until it pauses, or to its end.
  void resume() {
    running_ = this;
#if defined(__SANITIZE_ADDRESS__)
    void* callers = nullptr;
    __sanitizer_start_switch_fiber(&callers, stack_.begin(), Stack::bytes);
#elif defined(RNNFAST_FIBERS_UNDER_TSAN)
    callers_sanitizers_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(sanitizers_, 0);
#endif
    swapcontext(&caller_, &own_);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(callers, nullptr, nullptr);
#endif
  }

  /// Back to who resumed it. From within.
  void pause() {
#if defined(__SANITIZE_ADDRESS__)
    void* frames = nullptr;
    __sanitizer_start_switch_fiber(done_ ? nullptr : &frames, callers_stack_, callers_bytes_);
#elif defined(RNNFAST_FIBERS_UNDER_TSAN)
    __tsan_switch_to_fiber(callers_sanitizers_, 0);
#endif
    swapcontext(&own_, &caller_);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(frames, &callers_stack_, &callers_bytes_);
#endif
  }

 private:
  static void begin() {
    Fiber& self = *running_;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &self.callers_stack_, &self.callers_bytes_);
#endif
    self.body_();
    self.done_ = true;
    self.pause();
  }

  static inline Fiber* running_ = nullptr;
  std::function<void()> body_;
  Stack stack_;
  ucontext_t own_;
  ucontext_t caller_;
  bool done_ = false;
#if defined(__SANITIZE_ADDRESS__)
  const void* callers_stack_ = nullptr;
  std::size_t callers_bytes_ = 0;
#elif defined(RNNFAST_FIBERS_UNDER_TSAN)
  void* sanitizers_;
  void* callers_sanitizers_ = nullptr;
#endif
};

}  // namespace rnnfast::emulation
