#include "cpu/dispatch/dispatch.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "base/meeting.hpp"

namespace rnnfast {

// The targets, each with the two files that are compiled for it.
#define RNNFAST_TARGET(name)                        \
  extern const ScalarKernels<float> name##_float;   \
  extern const ScalarKernels<double> name##_double; \
  static const Target target_##name = {#name, Isa::name, name##_float, name##_double};
RNNFAST_TARGET(baseline)
#if defined(RNNFAST_X86_TARGETS)
RNNFAST_TARGET(avx2)
RNNFAST_TARGET(avx512)
#endif
#if defined(RNNFAST_ARM_TARGETS)
RNNFAST_TARGET(neon)
#endif
#undef RNNFAST_TARGET

namespace {

// Worst first. A build's set of targets is CMake's; a processor's is cpu_supports.
const Target* const built_targets[] = {
    &target_baseline,
#if defined(RNNFAST_X86_TARGETS)
    &target_avx2,
    &target_avx512,
#endif
#if defined(RNNFAST_ARM_TARGETS)
    &target_neon,
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
    for (const Target* target : built_targets) {
      if (cpu_supports(target->isa)) found.push_back(target);
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
