#include "base/cpu.hpp"

#include <fstream>
#include <string>

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace rnnfast {

#if defined(__x86_64__) || defined(_M_X64)
/// Clang 14 has no name for it.
static bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

/// Linux lends matrix registers to processes that ask for them: threads that use them have larger
/// stack frames of signals.
static bool may_use_matrix_registers() {
#if defined(__linux__)
  constexpr unsigned bfloat16_and_tiles = 1u << 22 | 1u << 24;
  constexpr int ask_for_state = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int tile_data = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
         (d & bfloat16_and_tiles) == bfloat16_and_tiles &&
         syscall(SYS_arch_prctl, ask_for_state, tile_data) == 0;
#else
  return false;
#endif
}

[[gnu::target("amx-tile")]] static void release_matrix_registers() { _tile_release(); }
#endif

bool cpu_supports(Isa isa) {
#if defined(__x86_64__) || defined(_M_X64)
  switch (isa) {
    case Isa::baseline:
      return true;
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    case Isa::avx512:
      return cpu_supports(Isa::avx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw");
    case Isa::avx512_bf16:
      return cpu_supports(Isa::avx512) && __builtin_cpu_supports("avx512bf16") &&
             __builtin_cpu_supports("avx512vnni");
    case Isa::amx:
      return cpu_supports(Isa::avx512_bf16) && may_use_matrix_registers();
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

constinit thread_local int matrix_shape = 0;

KernelMode::KernelMode() {
#if defined(__x86_64__) || defined(_M_X64)
  constexpr unsigned flush_to_zero_and_denormals_are_zero = 0x8040;
  constexpr unsigned no_traps_to_nearest = 0x1f80;
  saved_ = _mm_getcsr();
  _mm_setcsr(no_traps_to_nearest | flush_to_zero_and_denormals_are_zero);
#elif defined(__aarch64__)
  constexpr unsigned long long flush_to_zero = 1ULL << 24;  // and no traps, to the nearest
  __asm__ volatile("mrs %0, fpcr" : "=r"(saved_));
  __asm__ volatile("msr fpcr, %0" : : "r"(flush_to_zero));
#else
  saved_ = 0;
#endif
}

KernelMode::~KernelMode() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_setcsr(static_cast<unsigned>(saved_));
  if (matrix_shape) release_matrix_registers();
  matrix_shape = 0;
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

}  // namespace

const Caches& cpu_caches() {
  static const Caches caches = read_caches();
  return caches;
}

}  // namespace rnnfast
