// The other half of avx512.cpp: the cells whose activations a call chooses.
#if !defined(__AVX512F__) || !defined(__AVX512VL__) || !defined(__AVX512DQ__) || \
    !defined(__AVX512BW__)
#error "the avx512 target needs -mavx512f -mavx512vl -mavx512dq -mavx512bw"
#endif

#include "cpu/targets/chosen.hpp"

namespace rnnfast {

extern const ChosenCells chosen_avx512;
const ChosenCells chosen_avx512 = {chosen_cells<float>(), chosen_cells<double>()};

}  // namespace rnnfast
