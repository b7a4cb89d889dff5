#include "base/crowd.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <thread>

#include "base/clock.hpp"

namespace rnnfast {
namespace {

// A yield that takes longer has given the core to somebody else.
constexpr long long long_yield_ns = 500'000;
constexpr long long crowded_for_ns = 200'000'000;
constexpr long long try_again_after_ns = 250'000'000;
constexpr double paying = 1.1;             // what a team gains at least where nobody disturbs it
constexpr double faster = 0.97;            // than before, for a try to be followed
constexpr double remembered = 7.0 / 8;     // of the calls before
constexpr double smallest_call = 1 << 18;  // products: others are not what threads are for
constexpr int no_limit = std::numeric_limits<int>::max();

/// Calls that tell how fast work is done: fewer may be those for which helpers had to wake up.
struct Sample {
  int calls = 0;
  double ns = 0;
  double alone_ns = 0;  // what it would have taken one thread
  double products = 0;

  void add(const CallTimes& times, double of_before) {
    ++calls;
    ns = of_before * ns + times.total_ns;
    alone_ns =
        of_before * alone_ns + (times.total_ns - times.waited_ns) / std::max(times.own_share, 1e-3);
    products = of_before * products + times.products;
  }
  bool tells() const { return (calls >= 8 && ns >= 2e6) || ns >= 20e6; }
  double ns_a_product() const { return ns / products; }
};

// What other threads' calls read.
std::atomic<int> limit{no_limit};
std::atomic<long long> crowded_until{0};

/// What reports change, one at a time; who finds it taken leaves it.
struct State {
  std::mutex mutex;
  Sample steady;
  Sample tried;
  bool tries = false;
  int limit_before = no_limit;  // of a try
  int most = 1;                 // threads of a call so far
  long long next_try = 0;

  void begin_try(int threads) {
    limit_before = limit.exchange(threads, std::memory_order_relaxed);
    tries = true;
    tried = {};
  }

  void end_try(long long now) {
    if (tried.ns_a_product() > faster * steady.ns_a_product()) {
      limit.store(limit_before, std::memory_order_relaxed);
    }
    tries = false;
    steady = {};
    next_try = now + try_again_after_ns;
  }
};

State& state() {
  static State& state = *new State;
  return state;
}

}  // namespace

void report_call(const CallTimes& times) {
  if (times.products < smallest_call) return;
  State& all = state();
  const std::unique_lock lock(all.mutex, std::try_to_lock);
  if (!lock) return;
  all.most = std::max(all.most, times.threads);
  // Planned before the limit was: as backward passes are by their forward pass.
  if (times.threads > limit.load(std::memory_order_relaxed)) return;
  if (all.tries) {
    all.tried.add(times, 1);
    if (all.tried.tells()) all.end_try(now_ns());
    return;
  }
  all.steady.add(times, remembered);
  if (!all.steady.tells()) return;
  const int now = limit.load(std::memory_order_relaxed);
  const bool disturbed = times.threads > 1 && all.steady.alone_ns < paying * all.steady.ns;
  if (!(disturbed || now != no_limit) || now_ns() < all.next_try) return;
  if (disturbed) {
    all.begin_try(times.threads / 2);
  } else {
    all.begin_try(2 * now >= all.most ? no_limit : 2 * now);
  }
}

bool times_all_calls() { return limit.load(std::memory_order_relaxed) != no_limit; }

int threads_with_room(int threads) {
  return std::min(threads, limit.load(std::memory_order_relaxed));
}

void yield_core() {
  const long long before = now_ns();
  std::this_thread::yield();
  if (now_ns() - before > long_yield_ns) note_crowd();
}

bool is_crowded() {
  const long long until = crowded_until.load(std::memory_order_relaxed);
  return until > 0 && now_ns() < until;
}

void note_crowd() { crowded_until.store(now_ns() + crowded_for_ns, std::memory_order_relaxed); }

}  // namespace rnnfast
