#include "base/threads.hpp"

#include <algorithm>
#include <atomic>

#include "base/cores.hpp"
#include "base/crowd.hpp"
#include "base/helpers.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace rnnfast {
namespace {

std::atomic<int> choice{0};
std::atomic<int> of_host{0};  // 0: what OpenMP says

struct Sharing {
  bool openmp = false;
  unsigned since_fork = 0;
};
thread_local Sharing sharing;
thread_local const LentThreads* lent = nullptr;

// Of this process: a forked child has those alone that begin in it.
std::atomic<int> running{0};
std::atomic<unsigned> running_since_fork{0};

int openmp_threads() {
#if defined(_OPENMP)
  if (omp_in_parallel()) return 1;
  return std::max(1, std::min(omp_get_max_threads(), omp_get_thread_limit()));
#else
  return most_shares;
#endif
}

}  // namespace

int available_threads() {
  static const int available = std::min(available_cores(), most_shares);
  return available;
}

int chosen_threads() { return choice.load(std::memory_order_relaxed); }

void choose_threads(int threads) { choice.store(threads, std::memory_order_relaxed); }

void follow_host(int threads) {
  of_host.store(threads == openmp_threads() ? 0 : threads, std::memory_order_relaxed);
}

int default_threads() {
  if (const int chosen = chosen_threads()) return std::min(chosen, available_threads());
  const int followed = of_host.load(std::memory_order_relaxed);
  return std::min(followed > 0 ? followed : openmp_threads(), available_threads());
}

/// OpenMP's settings say nothing of a host's threads.
static int chosen_or_available() {
  const int chosen = chosen_threads();
  return chosen > 0 ? std::min(chosen, available_threads()) : available_threads();
}

int threads_now() {
  const int others = running_since_fork.load(std::memory_order_relaxed) == forks()
                         ? running.load(std::memory_order_relaxed)
                         : 0;
  const int all = lent ? std::min(lent->count, chosen_or_available()) : default_threads();
  return threads_with_room(std::max(1, all / (1 + std::max(others, 0))));
}

Borrowing::Borrowing(const LentThreads& threads) : threads_(threads), before_(lent) {
  lent = &threads_;
}

Borrowing::~Borrowing() { lent = before_; }

const LentThreads* lent_threads() { return lent; }

RunningCall::RunningCall() : forks_(forks()) {
  if (running_since_fork.exchange(forks_, std::memory_order_relaxed) != forks_) running = 0;
  running.fetch_add(1, std::memory_order_relaxed);
}

RunningCall::~RunningCall() {
  if (forks() == forks_) running.fetch_sub(1, std::memory_order_relaxed);
}

bool has_openmp() {
#if defined(_OPENMP)
  return true;
#else
  return false;
#endif
}

void share_openmp_threads() { sharing = {has_openmp(), forks()}; }

bool shares_openmp_threads() { return sharing.openmp && sharing.since_fork == forks(); }

void run_on_openmp([[maybe_unused]] int threads, void (*work)(void* context, int id),
                   void* context) {
#if defined(_OPENMP)
#pragma omp parallel num_threads(threads)
  work(context, omp_get_thread_num());
#else
  work(context, 0);
#endif
}

}  // namespace rnnfast
