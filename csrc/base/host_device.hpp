// What a GPU's compiler has to be told of functions that run on either side, and every other
// compiler does not. Written out at each of them: with --expt-relaxed-constexpr instead, nvcc has
// compiled a kernel to nothing without a word.
#pragma once

#if defined(__CUDACC__)
#define RNNFAST_BOTH __host__ __device__
#else
#define RNNFAST_BOTH
#endif

// A function of which one copy is enough; on a GPU a call would take its registers to memory.
#if defined(__CUDACC__)
#define RNNFAST_ONE_COPY
#else
#define RNNFAST_ONE_COPY [[gnu::noinline]]
#endif

// Before a loop that is to be unrolled n times.
#define RNNFAST_PRAGMA(text) _Pragma(#text)
#if defined(__CUDACC__)
#define RNNFAST_UNROLL(n) RNNFAST_PRAGMA(unroll n)
#else
#define RNNFAST_UNROLL(n) RNNFAST_PRAGMA(GCC unroll n)
#endif
