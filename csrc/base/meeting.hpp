// What it costs the team to meet in a step and trade the state, on this machine, now: cores may be
// tens of nanoseconds apart or hundreds, and a virtual machine's move about.
#pragma once

namespace rnnfast {

/// Nanoseconds a meeting, measured at most every 50 ms and for at most a hundredth of the time;
/// pauses between questions count as a millisecond at most, so that of calls that come one by one
/// few wait for it. If it is found to take so long that workers must have shared a core, nothing is
/// known of their distance: then it is what was last known, or what cores near each other take.
double meeting_ns(int threads);

}  // namespace rnnfast
