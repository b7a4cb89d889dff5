// What our threads ask of the scheduler, as far as this system knows of it.
#include <thread>

#include "base/scheduling.hpp"
#include "check.hpp"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace rnnfast {
namespace {

/// The words of the kernel's struct sched_attr.
struct Attributes {
  std::array<std::uint64_t, 6> words{};

  static Attributes own() {
    Attributes own;
    syscall(SYS_sched_getattr, 0, own.words.data(), sizeof own.words, 0);
    return own;
  }
  std::uint64_t slice_ns() const { return words[3]; }
};

TEST(helpers_take_short_slices_and_change_nothing_else) {
  std::thread([] {
    const Attributes before = Attributes::own();
    take_short_slices();
    Attributes after = Attributes::own();
    const bool known = before.slice_ns() > 0;  // older kernels have none of one's own
    CHECK(after.slice_ns() == (known ? 100'000 : before.slice_ns()), "%llu ns",
          static_cast<unsigned long long>(after.slice_ns()));
    after.words[3] = before.words[3];
    CHECK(after.words == before.words, "another policy, nice value or priority");
  }).join();
}

}  // namespace
}  // namespace rnnfast
#endif
