#include "base/cores.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace rnnfast {
namespace {

constexpr double no_quota = 1e9;

#if defined(__linux__)

/// cgroup v1 has the quota in two files.
double cores_of_first_cgroups() {
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) {
    return quota / period;
  }
  return no_quota;
}

int affinity_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

#endif

}  // namespace

// A group's file has "max PERIOD" or "QUOTA PERIOD". That a process is in group /path stands as
// "0::/path".
double cgroup_cores(const std::string& root, const std::string& own_groups) {
  std::ifstream groups(own_groups);
  std::string path;
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::/", 0) == 0) path = line.substr(3);
  }
  double cores = no_quota;
  while (true) {
    std::ifstream file(root + path + "/cpu.max");
    std::string quota;
    double period = 0;
    if (file >> quota >> period && quota != "max" && period > 0) {
      cores = std::min(cores, std::strtod(quota.c_str(), nullptr) / period);
    }
    if (path.empty()) return cores;
    path.resize(path.rfind('/'));
  }
}

int available_cores() {
#if defined(__linux__)
  const double quota =
      std::min(cgroup_cores("/sys/fs/cgroup", "/proc/self/cgroup"), cores_of_first_cgroups());
  const double cores = std::min<double>(affinity_cores(), std::ceil(quota));
#else
  const double cores = std::thread::hardware_concurrency();
#endif
  return std::max(1, static_cast<int>(cores));
}

}  // namespace rnnfast
