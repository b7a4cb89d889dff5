// The cores that this process may use.
#pragma once

#include <string>
#include <thread>

namespace rnnfast {

/// Those of its affinity, within the quota of its cgroup.
int available_cores();

/// Has a thread run on any core of the caller's affinity but the one that the caller is on now.
///
/// Systems like to wake a thread where its waker is, and leave it there, waiting, for a time slice
/// or ten while another core idles.
void keep_off_this_core(std::thread::native_handle_type thread);

/// What the quotas of a process's cgroup (v2), and of all groups above it, leave: a number of
/// cores. `root` is where the groups are mounted, `own_groups` the file that tells which is the
/// process's.
double cgroup_cores(const std::string& root, const std::string& own_groups);

}  // namespace rnnfast
