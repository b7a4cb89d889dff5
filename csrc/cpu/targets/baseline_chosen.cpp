// The other half of baseline.cpp: the cells whose activations a call chooses.
#if defined(__AVX__)
#error "the baseline target must be compiled without AVX"
#endif

#include "cpu/targets/chosen.hpp"

namespace rnnfast {

extern const ChosenCells chosen_baseline;
const ChosenCells chosen_baseline = {chosen_cells<float>(), chosen_cells<double>()};

}  // namespace rnnfast
