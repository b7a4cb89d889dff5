// The thread team: the only OpenMP in the project.
//
// OpenMP starts a team; inside, workers meet at a barrier of our own, because a step of a
// recurrence takes microseconds: one flag a worker, each on its own cache line, about 0.07 us. A
// worker spins for a while and then yields, so that more threads than cores still make progress.
#pragma once

#include "base/dims.hpp"

namespace rnnfast {

struct Flag;  // one worker's count of pieces, or meetings

struct Worker {
  int id = 0;
  int count = 1;
  int patience = 0;  // pauses before it yields
  unsigned done = 0;
  Flag* flags = nullptr;

  /// Returns once every worker of the team has called it equally often.
  void meet();
  /// Says that this worker is done with one more piece.
  void finish();
  /// Returns once `other` is done with more pieces than this worker, and has written them.
  void follow(int other) const;
};

using Job = void (*)(void* context, Worker& worker);

/// Runs `job` on `threads` workers, the caller among them. In a process forked after a team had
/// run, whose OpenMP threads are gone, and where OpenMP is missing, there is one worker.
void run_team(int threads, Job job, void* context);

int available_threads();  // cores of this process's affinity, within its cgroup's quota
int default_threads();    // what a call uses: available_threads() unless set
void set_default_threads(int threads);
bool has_openmp();

namespace {

template <class Body>
void team(int threads, Body&& body) {
  run_team(
      threads, [](void* context, Worker& worker) { (*static_cast<Body*>(context))(worker); },
      &body);
}

}  // namespace
}  // namespace rnnfast
