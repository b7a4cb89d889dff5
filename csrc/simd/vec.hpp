// One vector of N lanes: + - * / < and ?: are the language's own.
//
//   fma(a, b, c) = a*b + c, in one rounding where the processor has it (written out, because the
//   build forbids contraction: every tile size must give the same bits).
//
// On the CPU it is as wide as the instruction set that a file is compiled for. A thread of a GPU
// computes with one lane, and so does the emulation of one (RNNFAST_ONE_LANE).
#pragma once

#if defined(__CUDACC__) || defined(RNNFAST_ONE_LANE)
#include "simd/lane.hpp"
#else
#include "simd/wide.hpp"
#endif
