// The cores that this process may use.
#pragma once

#include <string>

namespace rnnfast {

/// Those of its affinity, within the quota of its cgroup.
int available_cores();

/// What the quotas of a process's cgroup (v2), and of all groups above it, leave: a number of
/// cores. `root` is where the groups are mounted, `own_groups` the file that tells which is the
/// process's.
double cgroup_cores(const std::string& root, const std::string& own_groups);

}  // namespace rnnfast
