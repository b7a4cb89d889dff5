#include "base/threads.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include "base/arena.hpp"
#include "base/cpu.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace rnnfast {

struct alignas(cache_line) Flag {
  std::atomic<unsigned> done{0};
};

namespace {

// Pauses before a worker that waits yields its core. Where each has one, the others come within
// microseconds; where workers share cores, the one that is waited for may need this very core.
constexpr int own_core_patience = 300;
constexpr int shared_core_patience = 30;

std::atomic<bool> team_has_run{false};
std::atomic<bool> forked{false};
std::atomic<int> chosen_threads{0};

#if defined(__unix__) || defined(__APPLE__)
const int fork_watch = pthread_atfork(nullptr, nullptr, [] { forked = team_has_run.load(); });
#endif

void wait_for(const Flag& flag, unsigned wanted, int patience) {
  int spins = 0;
  // The difference is signed so that the count may wrap around.
  while (static_cast<int>(flag.done.load(std::memory_order_acquire) - wanted) < 0) {
    if (++spins < patience) {
      cpu_pause();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace

void Worker::finish() {
  ++done;
  if (count > 1) flags[id].done.store(done, std::memory_order_release);
}

void Worker::follow(int other) const { wait_for(flags[other], done + 1, patience); }

void Worker::meet() {
  finish();
  if (count == 1) return;
  for (int other = 0; other < count; ++other) wait_for(flags[other], done, patience);
}

void run_team([[maybe_unused]] int threads, Job job, void* context) {
#if defined(_OPENMP)
  if (threads > 1 && !forked) {
    team_has_run = true;
    std::vector<Flag> flags(static_cast<std::size_t>(threads));
    const int patience = threads > available_threads() ? shared_core_patience : own_core_patience;
#pragma omp parallel num_threads(threads)
    {
      const FlushDenormals flush;
      Worker worker{omp_get_thread_num(), omp_get_num_threads(), patience, 0, flags.data()};
      job(context, worker);
    }
    return;
  }
#endif
  const FlushDenormals flush;
  Worker alone;
  job(context, alone);
}

int available_threads() {
  static const int available = available_cores();
  return available;
}

int default_threads() {
  const int chosen = chosen_threads.load();
  return chosen > 0 ? chosen : available_threads();
}

void set_default_threads(int threads) {
  chosen_threads = static_cast<int>(smaller(larger(threads, 1), available_threads()));
}

bool has_openmp() {
#if defined(_OPENMP)
  return true;
#else
  return false;
#endif
}

}  // namespace rnnfast
