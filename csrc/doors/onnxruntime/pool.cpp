#include "doors/onnxruntime/pool.hpp"

#include <algorithm>
#include <bit>
#include <chrono>

#include "base/cpu.hpp"

namespace rnnfast::onnx {
namespace {

using Clock = std::chrono::steady_clock;

// What threads that sleep take to come, on a machine that is busy and on one that is not.
constexpr auto first_wait = std::chrono::microseconds(1000);
constexpr auto later_wait = std::chrono::microseconds(100);
constexpr unsigned first_calls = 4;

/// Threads that have come so far, each counted once.
struct Meeting {
  std::atomic<int> present{0};
  int wanted;
  Clock::time_point until;
};

thread_local const Meeting* was_at = nullptr;

void attend(void* of, std::size_t) {
  auto& meeting = *static_cast<Meeting*>(of);
  if (was_at == &meeting) return;
  was_at = &meeting;
  meeting.present.fetch_add(1);
  while (meeting.present.load() < meeting.wanted && Clock::now() < meeting.until) cpu_pause();
}

int meet(const Host& host, const KernelContext* context, int wanted, Clock::duration wait) {
  Meeting meeting = {{0}, wanted, Clock::now() + wait};
  was_at = nullptr;  // another may have been in the same place
  host.parallel_for(context, static_cast<std::size_t>(wanted), &attend, &meeting);
  return meeting.present.load();
}

}  // namespace

int PoolSize::of(const Host& host, const KernelContext* context) {
  const int wanted = available_threads();
  const unsigned call = calls_.fetch_add(1, std::memory_order_relaxed);
  if (std::has_single_bit(call + 1) && most_.load(std::memory_order_relaxed) < wanted) {
    const int found = meet(host, context, wanted, call < first_calls ? first_wait : later_wait);
    int most = most_.load(std::memory_order_relaxed);
    while (most < found && !most_.compare_exchange_weak(most, found)) {
    }
  }
  return most_.load(std::memory_order_relaxed);
}

PoolThreads::PoolThreads(const Host& host, const KernelContext* context, int count)
    : host_(host), context_(context), borrowing_({this, count, &PoolThreads::run}) {}

void PoolThreads::run(void* pool, int shares, void (*work)(void* context, int id), void* context) {
  struct Work {
    void (*run)(void* context, int id);
    void* context;
  } all = {work, context};
  const auto& own = *static_cast<const PoolThreads*>(pool);
  own.host_.parallel_for(
      own.context_, static_cast<std::size_t>(shares),
      [](void* of, std::size_t id) {
        const auto& each = *static_cast<const Work*>(of);
        each.run(each.context, static_cast<int>(id));
      },
      &all);
}

}  // namespace rnnfast::onnx
