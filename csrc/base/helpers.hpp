// Threads that help callers: one pool for the process, whoever calls.
//
// They are our own and not OpenMP's, whose teams end only when all their threads have come, of
// which every calling thread has one, which end the process where the system gives no thread, and
// which hang in a forked child. A helper that has nothing to do spins for a while, and then sleeps.
#pragma once

#include "base/team.hpp"

namespace rnnfast {

/// Most shares of a plan, and one more than there can be helpers.
constexpr int most_shares = 256;

/// The helpers that a call is lent. Threads that are missing are started, if the system lets us.
class Crew {
 public:
  Crew(Team& team, int wanted);
  /// Takes them back: waits for those that are at work, and for nobody else.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int size() const { return size_; }

 private:
  struct Pool* pool_;
  unsigned forks_;
  int size_ = 0;
  short numbers_[most_shares];
};

/// Wakes helpers that a call will soon ask for. They go to sleep again if none does.
void rouse(int helpers);

/// How many helpers calls of this thread get: of tests.
void lend_at_most(int helpers);
bool lends_all();

/// How often the process was forked on the way here. None of the helpers that a parent had is in
/// its child.
unsigned forks();

}  // namespace rnnfast
