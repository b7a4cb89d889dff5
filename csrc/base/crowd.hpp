// How many threads pay while others want the cores as well: what is tried and timed, not reckoned.
//
// A caller that has waited w of a call's t, and done p of its n pieces of work, would have taken
// about (t - w) n / p alone. On a quiet machine a team beats that by far. Where it does not, some
// calls are made with half the threads, and if work is done faster so, it stays at that; a quarter
// of a second later some calls try with more. Otherwise nothing changes for as long.
#pragma once

namespace rnnfast {

/// How a call fared.
struct CallTimes {
  int threads;
  double total_ns;
  double waited_ns;  // by the caller
  double own_share;  // of the work, done by the caller
  double products;   // in all
};

/// Of every call with a team; where `times_all_calls`, of every call.
void report_call(const CallTimes& times);
bool times_all_calls();

/// How many of so many threads a call should begin with now.
int threads_with_room(int threads);

/// Lets others have the core, and remembers if it came back late.
void yield_core();
/// Whether who yields its core is likely to get it back late; and that it just was so.
bool is_crowded();
void note_crowd();

}  // namespace rnnfast
