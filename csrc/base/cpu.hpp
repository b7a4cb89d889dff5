// Facts about the processor: instruction sets, caches, cores, and how it treats subnormal numbers.
#pragma once

#include <cstddef>

namespace rnnfast {

enum class Isa { baseline, avx2, avx512, neon };

bool cpu_supports(Isa isa);

struct Caches {
  std::size_t l1;  // bytes, data cache of one core
  std::size_t l2;  // bytes a core
  std::size_t l3;  // bytes in all, shared
};

const Caches& cpu_caches();

int available_cores();  // affinity, clamped to the cgroup's quota

void cpu_pause();  // a hint that the caller spins

/// Kernels flush subnormal numbers to zero (they cost up to a hundred cycles each on some
/// processors); the caller's mode comes back when this goes out of scope.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned long long saved_;
};

}  // namespace rnnfast
