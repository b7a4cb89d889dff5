#include "base/cpu.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace rnnfast {

bool cpu_supports(Isa isa) {
#if defined(__x86_64__) || defined(_M_X64)
  switch (isa) {
    case Isa::baseline:
      return true;
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return cpu_supports(Isa::avx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw");
    case Isa::neon:
      return false;
  }
  return false;
#elif defined(__aarch64__)
  return isa == Isa::baseline || isa == Isa::neon;
#else
  return isa == Isa::baseline;
#endif
}

void cpu_pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

FlushDenormals::FlushDenormals() {
#if defined(__x86_64__) || defined(_M_X64)
  constexpr unsigned flush_to_zero_and_denormals_are_zero = 0x8040;
  saved_ = _mm_getcsr();
  _mm_setcsr(static_cast<unsigned>(saved_) | flush_to_zero_and_denormals_are_zero);
#elif defined(__aarch64__)
  constexpr unsigned long long flush_to_zero = 1ULL << 24;
  __asm__ volatile("mrs %0, fpcr" : "=r"(saved_));
  __asm__ volatile("msr fpcr, %0" : : "r"(saved_ | flush_to_zero));
#else
  saved_ = 0;
#endif
}

FlushDenormals::~FlushDenormals() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_setcsr(static_cast<unsigned>(saved_));
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(saved_));
#endif
}

namespace {

Caches read_caches() {
  Caches caches{32u << 10, 1u << 20, 16u << 20};  // where the system does not say
#if defined(__linux__)
  // Not sysconf, whose L3 adds up those of all sockets and slices.
  for (int i = 0; i < 8; ++i) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    int level = 0;
    std::size_t kibibytes = 0;
    std::string type;
    if (!(std::ifstream(folder + "level") >> level && std::ifstream(folder + "type") >> type &&
          std::ifstream(folder + "size") >> kibibytes) ||
        type == "Instruction") {
      continue;
    }
    std::size_t* const found[] = {&caches.l1, &caches.l2, &caches.l3};
    if (1 <= level && level <= 3 && kibibytes > 0) *found[level - 1] = kibibytes << 10;
  }
#elif defined(__APPLE__)
  const auto ask = [](const char* name, std::size_t otherwise) {
    std::size_t bytes = 0;
    std::size_t size = sizeof bytes;
    return sysctlbyname(name, &bytes, &size, nullptr, 0) == 0 && bytes > 0 ? bytes : otherwise;
  };
  caches = {ask("hw.l1dcachesize", caches.l1), ask("hw.l2cachesize", caches.l2),
            ask("hw.l3cachesize", caches.l3)};
#endif
  return caches;
}

#if defined(__linux__)

// cgroup v2 has "max 100000" or "QUOTA PERIOD" in one file, v1 the two numbers in two files.
double cgroup_cores() {
  std::ifstream unified("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (unified >> quota >> period && quota != "max" && period > 0) {
    return std::stod(quota) / period;
  }
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double microseconds = 0;
  if (quota_file >> microseconds && period_file >> period && microseconds > 0 && period > 0) {
    return microseconds / period;
  }
  return 1e9;
}

int affinity_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

#endif

}  // namespace

const Caches& cpu_caches() {
  static const Caches caches = read_caches();
  return caches;
}

int available_cores() {
#if defined(__linux__)
  const double cores = std::min<double>(affinity_cores(), std::ceil(cgroup_cores()));
#else
  const double cores = std::thread::hardware_concurrency();
#endif
  return std::max(1, static_cast<int>(cores));
}

}  // namespace rnnfast
