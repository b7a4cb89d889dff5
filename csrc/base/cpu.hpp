// Facts about the processor: instruction sets, caches, and its floating-point mode.
#pragma once

#include <cstddef>

namespace rnnfast {

enum class Isa { baseline, avx2, avx512, avx512_bf16, amx, neon };

bool cpu_supports(Isa isa);

struct Caches {
  std::size_t l1;  // bytes, data cache of one core
  std::size_t l2;  // bytes a core
  std::size_t l3;  // bytes in all, shared
};

const Caches& cpu_caches();

void cpu_pause();  // a hint that the caller spins

/// The shape that kernels gave the calling thread's matrix registers (simd/matrix_unit.hpp). 0:
/// none, as ever outside KernelMode, since other libraries shape them too.
extern constinit thread_local int matrix_shape;

/// The floating-point mode of kernels: subnormal numbers count as zero and are flushed to it (they
/// cost up to a hundred cycles each on some processors), results are rounded to the nearest, and no
/// exception traps, whatever the caller has chosen. That comes back, flags included, when this goes
/// out of scope, and the matrix registers are given up.
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
