// Facts about the processor: instruction sets, caches, and its floating-point mode.
#pragma once

#include <cstddef>

namespace rnnfast {

enum class Isa { baseline, avx2, avx512, avx512_bf16, neon };

bool cpu_supports(Isa isa);

struct Caches {
  std::size_t l1;  // bytes, data cache of one core
  std::size_t l2;  // bytes a core
  std::size_t l3;  // bytes in all, shared
};

const Caches& cpu_caches();

void cpu_pause();  // a hint that the caller spins

/// The floating-point mode of kernels: subnormal numbers count as zero and are flushed to it (they
/// cost up to a hundred cycles each on some processors), results are rounded to the nearest, and no
/// exception traps, whatever the caller has chosen. That comes back, flags included, when this goes
/// out of scope.
class KernelMode {
 public:
  KernelMode();
  ~KernelMode();
  KernelMode(const KernelMode&) = delete;
  KernelMode& operator=(const KernelMode&) = delete;

 private:
  unsigned long long saved_;
};

}  // namespace rnnfast
