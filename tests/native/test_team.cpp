// The team: every share of every stage is done once, in order, whoever comes and whenever.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/crowd.hpp"
#include "base/helpers.hpp"
#include "base/team.hpp"
#include "base/threads.hpp"
#include "check.hpp"

namespace rnnfast {
namespace {

constexpr int stages = 200;

/// Teams of one to four workers, whatever the machine has, against plans for so many.
template <class Body>
void for_each_team(Body&& body) {
  for (const int helpers : {0, 1, 2, 3}) {
    lend_at_most(helpers);
    for (const int shares : {1, 2, 3, 4, 8}) body(shares);
  }
  lend_at_most(most_shares);
}

/// How often each share was done, and whether all of a stage were before any of the next.
class Record {
 public:
  explicit Record(int shares) : done_(static_cast<std::size_t>(shares)) {
    for (auto& count : done_) count = 0;
  }

  void begin(int share, int stage) {
    for (const auto& other : done_) early_ += other.load() < stage;
    wrong_ += done_[static_cast<std::size_t>(share)].load() != stage;
  }
  void end(int share) { ++done_[static_cast<std::size_t>(share)]; }

  int early() const { return early_; }
  int wrong() const { return wrong_; }
  bool complete(int count) const {
    return std::all_of(done_.begin(), done_.end(), [&](const auto& n) { return n == count; });
  }

 private:
  std::vector<std::atomic<int>> done_;
  std::atomic<int> early_{0};
  std::atomic<int> wrong_{0};
};

TEST(stages_follow_each_other) {
  for_each_team([](int shares) {
    Record record(shares);
    team(shares, [&](Worker& worker) {
      for (int stage = 0; stage < stages; ++stage) {
        worker.stage([&](const Share& own) {
          CHECK(own.count == shares, "%d shares, of %d", own.count, shares);
          record.begin(own.id, stage);
          record.end(own.id);
        });
      }
    });
    CHECK(record.complete(stages), "a share of %d was left out", shares);
    CHECK(record.early() + record.wrong() == 0, "%d of %d shares out of turn",
          record.early() + record.wrong(), shares);
  });
}

// Whether they sleep by then, are about to, or are still spinning; and whether a call follows or
// another thread's does.
TEST(helpers_that_are_roused_come_as_others_do) {
  lend_at_most(3);
  std::atomic<bool> over{false};
  std::thread other([&] {
    while (!over) rouse(3);
  });
  for (const int pause_us : {0, 30, 200, 3000, 3100, 6000}) {
    for (int call = 0; call < 20; ++call) {
      rouse(call % 4);
      std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
      Record record(4);
      team(4, [&](Worker& worker) {
        for (int stage = 0; stage < 5; ++stage) {
          worker.stage([&](const Share& own) {
            record.begin(own.id, stage);
            record.end(own.id);
          });
        }
      });
      CHECK(record.complete(5) && record.early() + record.wrong() == 0, "after %d us", pause_us);
    }
  }
  over = true;
  other.join();
  lend_at_most(most_shares);
}

/// A host's pool, whose threads take the last parts first, one after the other.
struct HostPool {
  int threads;

  static void run(void* pool, int shares, void (*work)(void* context, int id), void* context) {
    std::atomic<int> left{shares};
    const auto serve = [&] {
      for (int id = left.fetch_sub(1) - 1; id >= 0; id = left.fetch_sub(1) - 1) work(context, id);
    };
    std::vector<std::thread> others;
    for (int i = 1; i < static_cast<HostPool*>(pool)->threads; ++i) others.emplace_back(serve);
    serve();
    for (std::thread& other : others) other.join();
  }
};

// Whoever of the pool comes, whatever part it is given, the caller's own included.
TEST(a_host_lends_its_threads) {
  for (const int threads : {1, 2, 3}) {
    HostPool pool = {threads};
    const Borrowing borrowing({&pool, threads, &HostPool::run});
    CHECK(threads_now() <= threads, "%d threads of %d", threads_now(), threads);
    for (const int shares : {1, 2, 3, 8}) {
      Record record(shares);
      team(shares, [&](Worker& worker) {
        for (int stage = 0; stage < stages; ++stage) {
          worker.stage([&](const Share& own) {
            record.begin(own.id, stage);
            record.end(own.id);
          });
        }
      });
      CHECK(record.complete(stages), "a share of %d was left out by %d threads", shares, threads);
      CHECK(record.early() + record.wrong() == 0, "%d of %d shares out of turn",
            record.early() + record.wrong(), shares);
    }
  }
  CHECK(!lent_threads(), "threads are lent for good");
}

// A helper that has to wait while others want its core leaves the call, and comes back to it.
TEST(helpers_may_leave_in_the_middle) {
  for_each_team([](int shares) {
    Record record(shares);
    std::atomic<int> steps{0};
    team(shares, [&](Worker& worker) {
      for (int stage = 0; stage < stages; ++stage) {
        worker.stage([&](const Share& own) {
          record.begin(own.id, stage);
          if (++steps % 7 == 0) note_crowd();
          if (steps % 5 == own.id) std::this_thread::sleep_for(std::chrono::microseconds(50));
          record.end(own.id);
        });
      }
    });
    CHECK(record.complete(stages), "a share of %d was left out", shares);
    CHECK(record.early() + record.wrong() == 0, "%d of %d shares out of turn",
          record.early() + record.wrong(), shares);
  });
}

TEST(stages_apart_do_not_meet) {
  for_each_team([](int shares) {
    std::vector<std::vector<int>> seen(static_cast<std::size_t>(shares));
    team(shares, [&](Worker& worker) {
      worker.apart(shares, [&](const Share& outer) {
        for (int stage = 0; stage < 5; ++stage) {
          worker.stage([&](const Share& own) {
            CHECK(own.id == outer.id && own.count == shares, "share %d of %d", own.id, own.count);
            seen[static_cast<std::size_t>(own.id)].push_back(stage);
          });
        }
      });
    });
    for (const auto& own : seen) {
      CHECK(own == (std::vector<int>{0, 1, 2, 3, 4}), "%d stages", static_cast<int>(own.size()));
    }
  });
}

// A part that was planned for several workers, within a share that is work for one.
TEST(who_is_alone_takes_all_shares) {
  for_each_team([](int shares) {
    std::atomic<int> inner{0};
    std::atomic<int> single{0};
    team(shares, [&](Worker& worker) {
      worker.alone([&](const Share&) {
        worker.apart(3, [&](const Share& own) { inner += 1 + own.id; });
        worker.stage([&](const Share& own) { single += own.count; });
      });
    });
    CHECK(inner == shares * 6 && single == shares, "%d and %d", inner.load(), single.load());
  });
}

TEST(relays_keep_the_order) {
  for_each_team([](int shares) {
    constexpr int pieces = 100;
    std::vector<std::atomic<int>> done(static_cast<std::size_t>(shares));
    for (auto& count : done) count = 0;
    std::atomic<int> wrong{0};
    team(shares, [&](Worker& worker) {
      worker.relay(pieces, [&](const Share& own, int piece) {
        const auto id = static_cast<std::size_t>(own.id);
        wrong += done[id] != piece || (own.id > 0 && done[id - 1] <= piece);
        ++done[id];
      });
      worker.stage(
          [&](const Share& own) { wrong += done[static_cast<std::size_t>(own.id)] != pieces; });
    });
    CHECK(wrong == 0, "%d pieces out of turn, of %d shares", wrong.load(), shares);
  });
}

TEST(many_callers_at_once) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&] {
      for (int call = 0; call < 50; ++call) {
        std::atomic<int> done{0};
        team(3, [&](Worker& worker) {
          for (int stage = 0; stage < 20; ++stage) worker.stage([&](const Share&) { ++done; });
        });
        wrong += done != 60;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0, "%d calls were not complete", wrong.load());
}

TEST(a_call_that_is_interrupted_leaves_the_team_as_it_was) {
  ask_for_interrupts([] { return true; });
  for_each_team([](int shares) {
    bool ended = false;
    std::atomic<int> within{0};
    try {
      team(shares, [&](Worker& worker) {
        while (true) {
          worker.stage([&](const Share& own) {
            ++within;
            own.worked(index{1} << 20);
            --within;
          });
        }
      });
    } catch (const Interrupted&) {
      ended = true;
    }
    CHECK(ended && within <= shares, "%d at work after a call of %d", within.load(), shares);
  });
  ask_for_interrupts(nullptr);
  std::atomic<int> done{0};
  team(4, [&](Worker& worker) { worker.stage([&](const Share&) { ++done; }); });
  CHECK(done == 4, "%d of 4 shares afterwards", done.load());
}

TEST(shares_cover_everything_once) {
  for (const index count : {0, 1, 5, 64}) {
    for (const int shares : {1, 2, 3, 7}) {
      index next = 0;
      for (int id = 0; id < shares; ++id) {
        const Span own = Share{id, shares, nullptr}.of(count);
        CHECK(own.begin == next && own.end >= own.begin, "%d of %d", id, shares);
        next = own.end;
      }
      CHECK(next == count, "%d shared by %d", static_cast<int>(count), shares);
    }
  }
}

}  // namespace
}  // namespace rnnfast
