#include "base/scheduling.hpp"

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace rnnfast {

void keep_off_this_core([[maybe_unused]] std::thread::native_handle_type thread) {
#if defined(__linux__)
  const int here = sched_getcpu();
  cpu_set_t set;
  CPU_ZERO(&set);
  if (here < 0 || here >= CPU_SETSIZE || sched_getaffinity(0, sizeof set, &set) != 0) return;
  CPU_CLR(here, &set);
  if (CPU_COUNT(&set) > 0) pthread_setaffinity_np(thread, sizeof set, &set);
#endif
}

#if defined(__linux__) && defined(SYS_sched_setattr) && defined(SYS_sched_getattr)

namespace {

/// The kernel's struct sched_attr as it first was: not every C library has it.
struct Attributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime_ns;  // of a slice
  std::uint64_t deadline_ns;
  std::uint64_t period_ns;
};
static_assert(sizeof(Attributes) == 48);

constexpr std::uint64_t shortest_slice_ns = 100'000;  // that the kernel gives

}  // namespace

void take_short_slices() {
  Attributes own{};
  if (syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) != 0 || own.policy != SCHED_OTHER) return;
  own.size = sizeof own;
  own.runtime_ns = shortest_slice_ns;
  syscall(SYS_sched_setattr, 0, &own, 0);
}

#else

void take_short_slices() {}

#endif

}  // namespace rnnfast
