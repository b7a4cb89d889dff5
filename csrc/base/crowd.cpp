#include "base/crowd.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>

namespace rnnfast {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto crowded_for = std::chrono::milliseconds(200);
constexpr double worth_it = 1.1;        // alone / team
constexpr double remembered = 7.0 / 8;  // of the calls before
// Fewer calls tell little: helpers may have slept. But a loss like this does.
constexpr int calls_that_tell = 8;
constexpr double time_that_tells_ns = 2e6;
constexpr double loss_that_tells_ns = 1e6;
constexpr double times_the_loss = 20;
constexpr double lately_pauses = 5;
constexpr double shortest_ns = 5e6;
constexpr double longest_ns = 2.5e8;
constexpr int no_limit = std::numeric_limits<int>::max();

// Calls of several threads may come between each other here: what they see is a hint.
std::atomic<int> limit{no_limit};
std::atomic<long long> tries_again{0};
std::atomic<long long> crowded_until{0};

struct Sums {
  std::mutex mutex;
  int calls = 0;  // since the limit was set
  double time_ns = 0;
  double team_ns = 0;
  double alone_ns = 0;
  double pause_ns = 0;    // of the last limit
  long long limited = 0;  // when that was set
};
Sums& sums() {
  static Sums& sums = *new Sums;
  return sums;
}

long long now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

}  // namespace

void report_team(const TeamTimes& times) {
  const std::unique_lock lock(sums().mutex, std::try_to_lock);
  if (!lock || times.own_pieces == 0) return;
  Sums& sum = sums();
  const double alone = (times.total_ns - times.waited_ns) * times.pieces / times.own_pieces;
  sum.team_ns = remembered * sum.team_ns + times.total_ns;
  sum.alone_ns = remembered * sum.alone_ns + alone;
  const double loss = sum.team_ns - sum.alone_ns;
  ++sum.calls;
  sum.time_ns += times.total_ns;
  const bool tells = sum.calls >= calls_that_tell && sum.time_ns >= time_that_tells_ns;
  if (!tells && loss < loss_that_tells_ns) return;
  const int now = limit.load(std::memory_order_relaxed);
  if (sum.alone_ns < worth_it * sum.team_ns) {
    // Company that comes and goes: the longer, the more often it was so lately.
    const long long time = now_ns();
    const bool lately = static_cast<double>(time - sum.limited) < lately_pauses * sum.pause_ns;
    const double again = lately ? 2 * sum.pause_ns : 0;
    sum.pause_ns = std::clamp(std::max(times_the_loss * loss, again), shortest_ns, longest_ns);
    sum.limited = time;
    sum.team_ns = sum.alone_ns = sum.time_ns = 0;
    sum.calls = 0;
    tries_again.store(time + static_cast<long long>(sum.pause_ns), std::memory_order_relaxed);
    limit.store(std::max(times.threads / 2, 1), std::memory_order_relaxed);
  } else if (now < times.threads) {
    limit.store(no_limit, std::memory_order_relaxed);
  }
}

int threads_with_room(int threads) {
  const int most = limit.load(std::memory_order_relaxed);
  if (threads <= most) return threads;
  return now_ns() < tries_again.load(std::memory_order_relaxed) ? most
                                                                : std::min(threads, 2 * most);
}

bool is_crowded() {
  const long long until = crowded_until.load(std::memory_order_relaxed);
  return until > 0 && now_ns() < until;
}

void note_crowd() {
  crowded_until.store(
      now_ns() + std::chrono::duration_cast<std::chrono::nanoseconds>(crowded_for).count(),
      std::memory_order_relaxed);
}

}  // namespace rnnfast
