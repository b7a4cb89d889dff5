// Fewer threads are tried where teams gain nothing, kept where calls are faster so, and more are
// tried again.
#include <chrono>
#include <thread>

#include "base/crowd.hpp"
#include "check.hpp"

namespace rnnfast {
namespace {

constexpr double ms = 1e6;

/// Calls that do the same work in so many milliseconds, `waited` of them by a caller that does
/// half.
void report(int calls, int threads, double total, double waited) {
  for (int i = 0; i < calls; ++i) {
    report_call({threads, total * ms, waited * ms, threads > 1 ? 0.5 : 1, 1 << 20});
  }
}

void wait_for_the_next_try() { std::this_thread::sleep_for(std::chrono::milliseconds(260)); }

TEST(threads_that_pay_are_kept) {
  report(50, 2, 1, 0);
  CHECK(threads_with_room(2) == 2 && !times_all_calls(), "%d of 2", threads_with_room(2));
}

TEST(fewer_are_tried_and_kept_where_they_are_faster) {
  report(50, 2, 3, 2.5);
  CHECK(threads_with_room(2) == 1 && times_all_calls(), "%d of 2 are tried", threads_with_room(2));
  report(50, 1, 1, 0);
  CHECK(threads_with_room(2) == 1, "%d of 2 are kept", threads_with_room(2));
  wait_for_the_next_try();
  report(1, 1, 1, 0);
  CHECK(threads_with_room(2) == 2, "%d of 2 are tried again", threads_with_room(2));
  report(50, 2, 0.5, 0);
  CHECK(threads_with_room(2) == 2, "%d of 2 in the end", threads_with_room(2));
}

TEST(fewer_are_given_up_where_they_are_slower) {
  wait_for_the_next_try();
  report(50, 2, 3, 2.5);
  CHECK(threads_with_room(2) == 1, "%d of 2 are tried", threads_with_room(2));
  report(50, 1, 5, 0);
  CHECK(threads_with_room(2) == 2, "%d of 2 are kept", threads_with_room(2));
}

TEST(small_calls_tell_nothing) {
  wait_for_the_next_try();
  for (int i = 0; i < 100; ++i) report_call({2, 3 * ms, 2.5 * ms, 0.5, 1000});
  CHECK(threads_with_room(2) == 2, "%d of 2", threads_with_room(2));
}

}  // namespace
}  // namespace rnnfast
