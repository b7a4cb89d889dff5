// AVX2 with FMA: 16 registers of 8 floats (Haswell 2013, Zen 2017, and later).
#if !defined(__AVX2__) || !defined(__FMA__) || defined(__AVX512F__)
#error "the avx2 target needs -mavx2 -mfma, and no AVX-512"
#endif

#include "cpu/targets/own.hpp"

namespace rnnfast {

extern const ChosenCells chosen_avx2;
extern const Target target_avx2;
const Target target_avx2 = {"avx2", Isa::avx2, scalar_kernels(chosen_avx2.single),
                            scalar_kernels(chosen_avx2.twice)};

}  // namespace rnnfast
