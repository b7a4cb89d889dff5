#include "base/team.hpp"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <exception>
#include <limits>
#include <new>
#include <stdexcept>

#include "base/arena.hpp"
#include "base/clock.hpp"
#include "base/cpu.hpp"
#include "base/crowd.hpp"
#include "base/helpers.hpp"
#include "base/threads.hpp"

namespace rnnfast {

namespace {

constexpr int nobody = 0;

// Pauses before a share whose worker is not there is taken, and before a wait counts as long: then
// it is the system that keeps somebody from coming. Where workers share cores, the one that is
// waited for may need this very core.
constexpr int pauses_to_take = 20;
constexpr int own_core_pauses = 300;
constexpr int shared_core_pauses = 30;

constexpr long long ask_every_ns = 100'000'000;

/// What a pause takes, with the looks at flags around it.
double pause_ns() {
  static const double measured = [] {
    constexpr int pauses = 256;
    std::atomic<unsigned> flag{0};
    double shortest = 1000;
    for (int i = 0; i < 3; ++i) {
      const long long began = now_ns();
      for (int pause = 0; pause < pauses; ++pause) {
        flag.load(std::memory_order_acquire);
        cpu_pause();
      }
      shortest = std::min(shortest, static_cast<double>(now_ns() - began) / pauses);
    }
    return shortest;
  }();
  return measured;
}

/// Thrown by a helper that gives up its core: until it comes back, nobody need wait for it.
struct Left {};

std::atomic<bool (*)()> interrupts{nullptr};

/// What both who holds a share and who waits for it write: a line each.
struct Seat {
  alignas(cache_line) std::atomic<int> holder{nobody};  // or 1 + the worker's number
  alignas(cache_line) std::atomic<unsigned> done{0};    // pieces
};

}  // namespace

struct alignas(cache_line) Team {
  int shares;
  Job job;
  void* context;
  int pauses;  // before a wait is long
  std::atomic<bool> ends{false};
  Seat* seats = nullptr;
};

struct Patience {
  int pauses = 0;
  long long since = 0;  // when the wait became long

  double waited_ns() const {
    return since ? static_cast<double>(now_ns() - since) : pauses * pause_ns();
  }
};

Worker Worker::undisturbed() {
  Worker alone;
  alone.until_look_ = std::numeric_limits<index>::max();
  return alone;
}

Worker::Worker(Team& team, int id) : team_(&team), id_(id), count_(team.shares) {}

int Worker::first() {
  if (inner_.there) return inner_.id;
  if (!team_) return 0;
  if (holds_ && team_->seats[id_].done.load(std::memory_order_relaxed) == before_) {
    return at_ = id_;
  }
  return search(before_ + 1, false);
}

int Worker::next() {
  if (inner_.there || !team_) return -1;
  finish();
  return search(before_ + 1, false);
}

int Worker::first_of(int pieces) {
  if (!team_) {
    before_ = 0;
    return pieces > 0 ? 0 : -1;
  }
  const int at = search(before_ + static_cast<unsigned>(pieces), true);
  if (at < 0) return -1;
  return static_cast<int>(team_->seats[at].done.load(std::memory_order_relaxed) - before_);
}

int Worker::next_of(int pieces) {
  if (!team_) return static_cast<int>(++before_) < pieces ? static_cast<int>(before_) : -1;
  finish();
  return first_of(pieces);
}

void Worker::finish() {
  Seat& seat = team_->seats[at_];
  seat.done.store(seat.done.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  if (at_ != id_) let_go(at_);
  ++pieces_;
}

bool Worker::take(int share) {
  std::atomic<int>& holder = team_->seats[share].holder;
  int expected = nobody;
  if (holder.load(std::memory_order_relaxed) == nobody &&
      holder.compare_exchange_strong(expected, id_ + 1, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
    return true;
  }
  eager_ = false;
  return false;
}

void Worker::let_go(int share) {
  team_->seats[share].holder.store(nobody, std::memory_order_release);
}

/// A share with less than `end` pieces done, which is held from now on, or -1 once there is none.
/// `in_order`: only where the share before is a piece ahead.
int Worker::search(unsigned end, bool in_order) {
  Patience patience;
  while (true) {
    bool all = true;
    for (int i = 0; i < count_; ++i) {
      const int share = id_ + i < count_ ? id_ + i : id_ + i - count_;
      const unsigned done = team_->seats[share].done.load(std::memory_order_acquire);
      // Differences are signed: others may be stages ahead, and the count may wrap around.
      if (static_cast<int>(done - end) >= 0) continue;
      all = false;
      if (in_order && share > 0 &&
          static_cast<int>(team_->seats[share - 1].done.load(std::memory_order_acquire) - done) <=
              0) {
        continue;
      }
      if (share == id_) {
        if (!holds_) holds_ = take(share);
        if (!holds_) continue;
      } else {
        if (!eager_ && patience.pauses < pauses_to_take) continue;
        if (!take(share)) continue;
        eager_ = true;
      }
      if (team_->seats[share].done.load(std::memory_order_acquire) == done) {
        if (patience.pauses) waited_ns_ += patience.waited_ns();
        return at_ = share;
      }
      if (share != id_) let_go(share);
    }
    if (all) {
      if (patience.pauses) waited_ns_ += patience.waited_ns();
      before_ = end;
      return -1;
    }
    wait(patience);
  }
}

void Worker::wait(Patience& patience) {
  if (team_->ends.load(std::memory_order_relaxed)) throw Interrupted();
  if (++patience.pauses < team_->pauses) {
    cpu_pause();
    return;
  }
  const long long before = now_ns();
  if (!patience.since) patience.since = before;
  if (holds_) let_go(id_);
  holds_ = false;
  if (!calls() && is_crowded()) throw Left();
  yield_core();
  if (calls()) ask();
}

void Worker::look() {
  looks_ += 1;
  until_look_ += look_after;
  if (team_ && team_->ends.load(std::memory_order_relaxed)) throw Interrupted();
  if (calls()) ask();
}

void Worker::ask() {
  const long long now = now_ns();
  if (!looked_) looked_ = now;
  if (now - looked_ < ask_every_ns) return;
  bool (*const interrupted)() = interrupts.load(std::memory_order_relaxed);
  const unsigned before = forks();
  if (interrupted && interrupted()) throw Interrupted();
  if (team_ && forks() != before) {
    throw std::runtime_error(
        "the process was forked within a call: its child cannot go on with it");
  }
  looked_ = now_ns();
}

void ask_for_interrupts(bool (*interrupted)()) { interrupts = interrupted; }

bool help(Team& team, int id) {
  try {
    Worker worker(team, id);
    team.job(team.context, worker);
  } catch (const Left&) {
    return false;
  } catch (const Interrupted&) {
  }
  return true;
}

/// A caller's side of a team.
class TeamRun {
 public:
  TeamRun(int shares, Job job, void* context)
      : team_{shares, job, context,
              shares > available_threads() ? shared_core_pauses : own_core_pauses},
        worker_(team_, 0) {
    team_.seats = reinterpret_cast<Seat*>(seats_);
    for (int i = 0; i < shares; ++i) new (&team_.seats[i]) Seat;
  }

  static void run_alone(Job job, void* context) {
    Worker alone;
    if (!times_all_calls()) return job(context, alone);
    const long long began = now_ns();
    job(context, alone);
    report_call({1, static_cast<double>(now_ns() - began), 0, 1, alone.products()});
  }

  void run() {
    const long long began = now_ns();
    const auto take_part_in = [](void* run, int id) { static_cast<TeamRun*>(run)->take_part(id); };
    if (const LentThreads* const lent = lent_threads()) {
      lent->run(lent->pool, team_.shares, take_part_in, this);
    } else if (shares_openmp_threads() && lends_all()) {
      run_on_openmp(team_.shares, take_part_in, this);
    } else {
      const Crew crew(team_, team_.shares - 1);
      worker_.eager_ = crew.size() == 0;
      take_part(0);
    }
    if (thrown_) std::rethrow_exception(thrown_);
    const long long ended = now_ns();
    if (worker_.pieces_ == 0) return;  // helpers did everything: nothing is known of one thread
    const double pieces = worker_.before_ * static_cast<double>(team_.shares);
    const double own = worker_.pieces_ / pieces;
    report_call({team_.shares, static_cast<double>(ended - began),
                 worker_.waited_ns_ + static_cast<double>(ended - over_), own,
                 worker_.products() / own});
  }

 private:
  void take_part(int id) {
    const KernelMode mode;  // lent threads may do anybody's part
    if (id > 0) {
      while (!help(team_, id)) yield_core();
      return;
    }
    try {
      team_.job(team_.context, worker_);
    } catch (...) {
      team_.ends = true;
      thrown_ = std::current_exception();
    }
    over_ = now_ns();
  }

  Team team_;
  Worker worker_;  // the caller
  std::exception_ptr thrown_;
  long long over_ = 0;  // when it had nothing left to do
  alignas(Seat) char seats_[most_shares * sizeof(Seat)];
};

void run_team(int shares, Job job, void* context) {
  assert(shares >= 1 && shares <= most_shares);
  const KernelMode mode;
  if (shares > 1) {
    TeamRun(shares, job, context).run();
  } else {
    TeamRun::run_alone(job, context);
  }
}

}  // namespace rnnfast
