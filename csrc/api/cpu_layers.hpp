// Layers at once on the CPU: the kernel's call for each, and memory for all of them in one arena.
#pragma once

#include <vector>

#include "api/layers.hpp"
#include "api/tape.hpp"

namespace rnnfast {

void run_layers_at_once(const LayersCall& call);
std::vector<Tape> run_layers_at_once_saving(const LayersCall& call);

}  // namespace rnnfast
