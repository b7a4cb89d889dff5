// How many threads a call may use: the only place that asks OpenMP, whose settings count as they do
// for every other library. The threads are those of base/helpers.hpp.
#pragma once

namespace rnnfast {

/// Cores of this process's affinity, within its cgroup's quota.
int available_threads();

/// What calls may use at most: what `choose_threads` was given, or else what OpenMP would
/// (OMP_NUM_THREADS, OMP_THREAD_LIMIT, omp_set_num_threads by whomever; one within a parallel
/// region), within what is available.
int default_threads();

/// 0: no choice. `chosen_threads` tells.
void choose_threads(int threads);
int chosen_threads();

/// What a call that begins now should use: the default shared with the calls that are running, and
/// fewer while the machine is busy (base/crowd.hpp).
int threads_now();

bool has_openmp();

/// While it lives, a call runs that others have to share the cores with.
class RunningCall {
 public:
  RunningCall();
  ~RunningCall();
  RunningCall(const RunningCall&) = delete;
  RunningCall& operator=(const RunningCall&) = delete;

 private:
  unsigned forks_;
};

}  // namespace rnnfast
