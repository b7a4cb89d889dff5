#include "base/helpers.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "base/arena.hpp"
#include "base/cpu.hpp"
#include "base/crowd.hpp"
#include "base/scheduling.hpp"
#include "base/threads.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <signal.h>
#define RNNFAST_HAS_FORK 1
#endif

namespace rnnfast {
namespace {

using Clock = std::chrono::steady_clock;

// How long a helper looks out for the next call with its core to itself, then ready to hand it to
// others, before it sleeps: calls that follow each other find it awake.
constexpr auto spins_for = std::chrono::microseconds(50);
constexpr auto yields_for = std::chrono::milliseconds(3);
constexpr int pauses_a_look = 32;
// After the system has refused a thread.
constexpr auto asks_again_after = std::chrono::seconds(1);

enum Post : int { idle, roused, offered, at_work };

struct alignas(cache_line) Helper {
  std::atomic<int> post{idle};
  Team* team = nullptr;  // of the offer
  int id = 0;
  alignas(cache_line) std::atomic<bool> lent{false};
  std::atomic<bool> asleep{false};
  std::thread::native_handle_type thread{};
};

#if RNNFAST_HAS_FORK
/// A thread that is started meanwhile leaves signals to the program's own.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};
#else
struct SignalsBlocked {
  SignalsBlocked() {}
};
#endif

void wait_for_offer(Helper& helper) {
  int post = roused;
  helper.post.compare_exchange_strong(post, idle, std::memory_order_relaxed);
  const auto began = Clock::now();
  for (auto since = began - began; since < yields_for;) {
    for (int i = 0; i < pauses_a_look; ++i) {
      if (helper.post.load(std::memory_order_acquire) == offered) return;
      cpu_pause();
    }
    if (since > spins_for) {
      if (is_crowded()) break;
      yield_core();
    }
    since = Clock::now() - began;
  }
  helper.asleep.store(true, std::memory_order_relaxed);
  helper.post.wait(idle, std::memory_order_acquire);
  helper.asleep.store(false, std::memory_order_relaxed);
}

void serve(Helper* helper) {
  const KernelMode mode;
  take_short_slices();
  while (true) {
    wait_for_offer(*helper);
    int expected = offered;
    if (!helper->post.compare_exchange_strong(expected, at_work, std::memory_order_acquire)) {
      continue;
    }
    if (help(*helper->team, helper->id)) {
      helper->post.store(idle, std::memory_order_release);
    } else {
      helper->post.store(offered, std::memory_order_release);
      yield_core();
    }
  }
}

}  // namespace

struct Pool {
  std::atomic<int> count{0};
  Helper* helpers[most_shares - 1] = {};
  std::mutex growing;
  Clock::time_point refused{};

  /// Starts one more, if nobody else does so now and the system has threads to give.
  bool grow() {
    const std::unique_lock lock(growing, std::try_to_lock);
    const int number = count.load(std::memory_order_relaxed);
    if (!lock || number == most_shares - 1) return false;
    if (refused != Clock::time_point{} && Clock::now() < refused + asks_again_after) return false;
    Helper* const helper = new (std::nothrow) Helper;
    if (!helper) return false;
    try {
      const SignalsBlocked blocked;
      std::thread thread(serve, helper);
      helper->thread = thread.native_handle();
      keep_off_this_core(helper->thread);
      thread.detach();
    } catch (const std::exception&) {  // no thread, or no memory for one
      delete helper;
      refused = Clock::now();
      return false;
    }
    helpers[number] = helper;
    count.store(number + 1, std::memory_order_release);
    return true;
  }
};

namespace {

thread_local int most_helpers = most_shares - 1;

// Never destroyed: helpers may look on while the process ends. In a forked child there is another.
alignas(Pool) char memory[sizeof(Pool)];
std::atomic<unsigned> fork_count{0};

/// Wakes a helper after its post has changed.
void wake(Helper& helper) {
  if (helper.asleep.load(std::memory_order_relaxed)) keep_off_this_core(helper.thread);
  helper.post.notify_one();
}

Pool& pool() {
  static Pool* const first = new (memory) Pool;
  return *first;
}

#if RNNFAST_HAS_FORK
// From the start: others' threads are lost by a fork as well, whether or not there are ours.
const int fork_watch = pthread_atfork(nullptr, nullptr, [] {
  new (&pool()) Pool;
  fork_count.fetch_add(1, std::memory_order_relaxed);
});
#endif

}  // namespace

void lend_at_most(int helpers) { most_helpers = helpers; }

bool lends_all() { return most_helpers >= most_shares - 1; }

void rouse(int helpers) {
  const int there = std::min({helpers, most_helpers, pool().count.load(std::memory_order_acquire)});
  for (int number = 0; number < there; ++number) {
    Helper& helper = *pool().helpers[number];
    if (!helper.asleep.load(std::memory_order_relaxed)) continue;
    int post = idle;
    if (helper.post.compare_exchange_strong(post, roused)) wake(helper);
  }
}

unsigned forks() { return fork_count.load(std::memory_order_relaxed); }

Crew::Crew(Team& team, int wanted) : pool_(&pool()), forks_(forks()) {
  wanted = std::min(wanted, most_helpers);
  // As many as there are cores for, whoever else calls; a plan for more gets more.
  const int most = std::min(std::max(wanted, available_threads() - 1), most_shares - 1);
  for (int number = 0; number < most && size_ < wanted; ++number) {
    if (number >= pool_->count.load(std::memory_order_acquire) && !pool_->grow()) break;
    Helper& helper = *pool_->helpers[number];
    if (helper.lent.load(std::memory_order_relaxed) ||
        helper.lent.exchange(true, std::memory_order_acquire)) {
      continue;
    }
    numbers_[size_++] = static_cast<short>(number);
    helper.team = &team;
    helper.id = size_;
    if (helper.post.exchange(offered) == idle) wake(helper);
  }
}

Crew::~Crew() {
  if (forks() != forks_) return;
  for (int i = 0; i < size_; ++i) {
    Helper& helper = *pool_->helpers[numbers_[i]];
    int pauses = 0;
    while (true) {
      int post = helper.post.load(std::memory_order_acquire);
      if (post == idle || post == roused) break;
      if (post == offered && helper.post.compare_exchange_strong(post, idle)) break;
      if (++pauses < 1000) {
        cpu_pause();
      } else {
        yield_core();
      }
    }
    helper.lent.store(false, std::memory_order_release);
  }
}

}  // namespace rnnfast
