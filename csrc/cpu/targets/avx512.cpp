// AVX-512 F, VL, DQ, BW: 32 registers of 16 floats (Skylake-SP 2017, Zen 4 2022, and later).
#if !defined(__AVX512F__) || !defined(__AVX512VL__) || !defined(__AVX512DQ__) || \
    !defined(__AVX512BW__)
#error "the avx512 target needs -mavx512f -mavx512vl -mavx512dq -mavx512bw"
#endif

#include "cpu/targets/own.hpp"

namespace rnnfast {

extern const ChosenCells chosen_avx512;
extern const Target target_avx512;
const Target target_avx512 = {"avx512", Isa::avx512, scalar_kernels(chosen_avx512.single),
                              scalar_kernels(chosen_avx512.twice)};

}  // namespace rnnfast
