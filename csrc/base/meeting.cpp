#include "base/meeting.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <vector>

#include "base/arena.hpp"
#include "base/team.hpp"

namespace rnnfast {
namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::duration<double, std::nano>;

// Enough for the shortest of a few stretches to be free of interruptions.
constexpr int stretches = 5;
constexpr int meetings_a_stretch = 8;
constexpr auto long_enough = std::chrono::microseconds(200);
constexpr auto refreshed_after = std::chrono::milliseconds(50);
constexpr int measured_share = 100;  // one part in so many of the time
// Of the time since the last question: a call that comes alone does not wait for a measurement each
// time.
constexpr auto counted_at_most = std::chrono::milliseconds(1);

// Nanoseconds: assumed until something is known; and beyond what distance between cores explains.
constexpr double near_cores = 100;
constexpr double farthest_cores = 3000;

// What a share makes of h in a step where meetings matter.
constexpr int lines_traded = 4;
struct alignas(cache_line) Line {
  std::atomic<int> value{0};
};

/// The shortest of some stretches of steps that do nothing but meet and trade. Only those count in
/// which the caller has done its own shares and no other; endless if there was none.
double measure(int threads) {
  std::vector<Line> lines(static_cast<std::size_t>(2 * threads * lines_traded));
  double shortest = farthest_cores;
  std::atomic<int> counted{0};
  std::atomic<bool> enough{false};
  const auto began = Clock::now();
  team(threads, [&](Worker& worker) {
    while (!enough) {
      const auto start = Clock::now();
      bool met = true;
      for (int step = 0; step < meetings_a_stretch; ++step) {
        worker.stage([&](const Share& own) {
          const Line* const before = lines.data() + (step + 1) % 2 * threads * lines_traded;
          Line* const state = lines.data() + step % 2 * threads * lines_traded;
          for (int i = 0; i < threads * lines_traded; ++i) {
            before[i].value.load(std::memory_order_relaxed);
          }
          for (int i = 0; i < lines_traded; ++i) {
            state[own.id * lines_traded + i].value.store(step, std::memory_order_relaxed);
          }
          met = met && (own.id == 0 || !worker.calls());
        });
      }
      const double each = Nanoseconds(Clock::now() - start).count() / meetings_a_stretch;
      if (worker.calls() && met) {
        shortest = std::min(shortest, each);
        ++counted;
      }
      worker.stage([&](const Share& own) {
        if (own.id > 0) return;
        enough = counted >= stretches || Clock::now() - began > long_enough;
      });
    }
  });
  return shortest;
}

// Who does not get the mutex takes what is known: another thread measures, or did where this
// process was forked off.
struct Measured {
  std::mutex mutex;
  int threads = 0;
  std::atomic<double> meeting{near_cores};
  Clock::time_point asked;
  Clock::duration used{};  // since it was measured
  Clock::duration lasts{};
};

}  // namespace

double meeting_ns(int threads) {
  static Measured last;
  const std::unique_lock lock(last.mutex, std::try_to_lock);
  if (!lock) return last.meeting;
  const auto now = Clock::now();
  last.used += std::min<Clock::duration>(now - last.asked, counted_at_most);
  last.asked = now;
  if (threads != last.threads || last.used >= last.lasts) {
    const double measured = measure(threads);
    if (measured < farthest_cores) last.meeting = measured;
    last.threads = threads;
    last.asked = Clock::now();
    last.used = {};
    last.lasts = std::max<Clock::duration>(refreshed_after, measured_share * (last.asked - now));
  }
  return last.meeting;
}

}  // namespace rnnfast
