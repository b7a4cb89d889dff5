// How many threads a call may use, and OpenMP's part in it: its settings count as they do for every
// other library. Threads are those of base/helpers.hpp, or OpenMP's where somebody else's calls
// have started them and keep them spinning, or those that a host lends.
#pragma once

namespace rnnfast {

/// Cores of this process's affinity, within its cgroup's quota.
int available_threads();

/// What calls may use at most: what `choose_threads` was given, or else what a host uses, or else
/// what OpenMP would (OMP_NUM_THREADS, OMP_THREAD_LIMIT, omp_set_num_threads by whomever; one within a parallel
/// region), within what is available.
int default_threads();

/// 0: no choice. `chosen_threads` tells.
void choose_threads(int threads);
int chosen_threads();

/// So many threads the host uses whose calls come here. It is no choice: one that is made counts
/// before it, and leaves it as it was when it is taken back.
void follow_host(int threads);

/// What a call that begins now should use: the default shared with the calls that are running, and
/// fewer while the machine is busy (base/crowd.hpp).
int threads_now();

bool has_openmp();

/// From now on, calls of this thread are helped by OpenMP's threads. It is for a thread whose
/// program goes back and forth between us and a framework on OpenMP, as PyTorch is: between its
/// calls the framework's threads spin for milliseconds, and would share their cores with ours. A
/// framework's conditions come with them: a call waits for all of them at its end, and the process
/// ends where the system has no thread to give.
void share_openmp_threads();

/// Whether that is so, in a process whose OpenMP threads were not lost by a fork.
bool shares_openmp_threads();

/// work(context, id) on so many of OpenMP's threads; the caller's id is 0. Nothing may be thrown.
void run_on_openmp(int threads, void (*work)(void* context, int id), void* context);

/// Threads of a host's own pool. It runs work(context, id) for each id below `shares`, on whichever
/// of them it likes, one after the other if it must, and returns once all have.
struct LentThreads {
  void* pool;
  int count;  // with the thread that borrows them
  void (*run)(void* pool, int shares, void (*work)(void* context, int id), void* context);
};

/// While it lives, calls of this thread are helped by a host's threads in place of ours.
class Borrowing {
 public:
  explicit Borrowing(const LentThreads& threads);
  ~Borrowing();
  Borrowing(const Borrowing&) = delete;
  Borrowing& operator=(const Borrowing&) = delete;

 private:
  const LentThreads threads_;
  const LentThreads* const before_;
};

/// Those that this thread has borrowed; null: none.
const LentThreads* lent_threads();

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
