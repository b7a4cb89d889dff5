#include "cpu/dispatch/dispatch.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "base/meeting.hpp"

namespace rnnfast {

// Of all targets; what is not built is not asked for.
extern const ScalarKernels<float> baseline_float;
extern const ScalarKernels<double> baseline_double;
extern const FormatKernels<float> baseline_bfloat16;
extern const FormatKernels<float> baseline_float16;
extern const Int8Kernels baseline_int8;
extern const SparseKernels baseline_sparse;
extern const ScalarKernels<float> avx2_float;
extern const ScalarKernels<double> avx2_double;
extern const FormatKernels<float> avx2_bfloat16;
extern const FormatKernels<float> avx2_float16;
extern const Int8Kernels avx2_int8;
extern const SparseKernels avx2_sparse;
extern const ScalarKernels<float> avx512_float;
extern const ScalarKernels<double> avx512_double;
extern const FormatKernels<float> avx512_bfloat16;
extern const FormatKernels<float> avx512_float16;
extern const Int8Kernels avx512_int8;
extern const SparseKernels avx512_sparse;
extern const FormatKernels<float> avx512_bf16_bfloat16;
extern const Int8Kernels avx512_bf16_int8;
extern const FormatKernels<float> amx_bfloat16;
extern const ScalarKernels<float> neon_float;
extern const ScalarKernels<double> neon_double;
extern const FormatKernels<float> neon_bfloat16;
extern const FormatKernels<float> neon_float16;
extern const Int8Kernels neon_int8;
extern const SparseKernels neon_sparse;

namespace {

// Worst first. A build's set of targets is CMake's; a processor's is cpu_supports.
const Target built_targets[] = {
#if defined(RNNFAST_FOR_BASELINE)
    {"baseline", Isa::baseline, baseline_float, baseline_double, baseline_bfloat16,
     baseline_float16, baseline_int8, baseline_sparse},
#endif
#if defined(RNNFAST_FOR_AVX2)
    {"avx2", Isa::avx2, avx2_float, avx2_double, avx2_bfloat16, avx2_float16, avx2_int8,
     avx2_sparse},
#endif
#if defined(RNNFAST_FOR_AVX512)
    {"avx512", Isa::avx512, avx512_float, avx512_double, avx512_bfloat16, avx512_float16,
     avx512_int8, avx512_sparse},
#endif
#if defined(RNNFAST_FOR_AVX512_BF16)
    {"avx512_bf16", Isa::avx512_bf16, avx512_float, avx512_double, avx512_bf16_bfloat16,
     avx512_float16, avx512_bf16_int8, avx512_sparse},
#endif
#if defined(RNNFAST_FOR_AMX)
    {"amx", Isa::amx, avx512_float, avx512_double, amx_bfloat16, avx512_float16, avx512_bf16_int8,
     avx512_sparse},
#endif
#if defined(RNNFAST_FOR_NEON)
    {"neon", Isa::neon, neon_float, neon_double, neon_bfloat16, neon_float16, neon_int8,
     neon_sparse},
#endif
};

std::string names(const std::vector<const Target*>& targets) {
  std::string text;
  for (const Target* target : targets)
    text += (text.empty() ? "" : ", ") + std::string(target->name);
  return text;
}

const Target& choose_target() {
  const auto& targets = available_targets();
  if (targets.empty()) {
    std::vector<const Target*> built;
    for (const Target& target : built_targets) built.push_back(&target);
    throw std::runtime_error("this rnnfast is built for " + names(built) +
                             ", which this processor has not; build it with "
                             "RNNFAST_INSTRUCTION_SETS=all");
  }
  const char* wanted = std::getenv("RNNFAST_TARGET");
  if (!wanted || !*wanted) return *targets.back();
  for (const Target* target : targets) {
    if (std::string(wanted) == target->name) return *target;
  }
  throw std::runtime_error("RNNFAST_TARGET must be one of " + names(targets) +
                           " on this processor, got " + wanted);
}

}  // namespace

template <>
const ScalarKernels<float>& kernels_of<float>(const Target& target) {
  return target.single;
}

template <>
const ScalarKernels<double>& kernels_of<double>(const Target& target) {
  return target.twice;
}

const std::vector<const Target*>& available_targets() {
  static const std::vector<const Target*> targets = [] {
    std::vector<const Target*> found;
    for (const Target& target : built_targets) {
      if (cpu_supports(target.isa)) found.push_back(&target);
    }
    return found;
  }();
  return targets;
}

const Target& target() {
  static const Target& chosen = choose_target();
  return chosen;
}

Machine machine_for(int lanes) {
  // Orders of magnitude, not measurements: they decide only whether threads are worth starting.
  constexpr double vectors_per_ns = 3.0;
  constexpr double team_start_ns = 6000;
  const Caches& caches = cpu_caches();
  return {caches.l2, caches.l3, 2.0 * lanes * vectors_per_ns, team_start_ns, meeting_ns};
}

}  // namespace rnnfast
