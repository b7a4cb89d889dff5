// The other half of avx2.cpp: the cells whose activations a call chooses.
#if !defined(__AVX2__) || !defined(__FMA__) || defined(__AVX512F__)
#error "the avx2 target needs -mavx2 -mfma, and no AVX-512"
#endif

#include "cpu/targets/chosen.hpp"

namespace rnnfast {

extern const ChosenCells chosen_avx2;
const ChosenCells chosen_avx2 = {chosen_cells<float>(), chosen_cells<double>()};

}  // namespace rnnfast
