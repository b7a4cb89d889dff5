// The other half of neon.cpp: the cells whose activations a call chooses.
#if !defined(__aarch64__)
#error "the neon target is for aarch64"
#endif

#include "cpu/targets/chosen.hpp"

namespace rnnfast {

extern const ChosenCells chosen_neon;
const ChosenCells chosen_neon = {chosen_cells<float>(), chosen_cells<double>()};

}  // namespace rnnfast
