// Whether the machine has room for a team, seen from how teams fare.
//
// A caller that has waited w of a call's t, and done p of its n pieces of work, would have taken
// about (t - w) n / p alone. Where teams have gained next to nothing over that, calls do with fewer
// threads, for twenty times as long as the teams have lost; then some calls try again.
#pragma once

namespace rnnfast {

/// How a team fared.
struct TeamTimes {
  int threads;
  double total_ns;
  double waited_ns;     // by the caller
  unsigned own_pieces;  // done by the caller
  unsigned pieces;
};

void report_team(const TeamTimes& times);

/// How many of so many threads a call should begin with now.
int threads_with_room(int threads);

/// Whether who yields its core is likely to get it back late; and that it just was so.
bool is_crowded();
void note_crowd();

}  // namespace rnnfast
