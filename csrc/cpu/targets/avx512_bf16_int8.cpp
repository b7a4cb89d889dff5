// AVX-512 with BF16 and VNNI: four products of bytes a lane in one instruction (Zen 4 2022, Cooper
// Lake 2020, Sapphire Rapids 2023, and later).
#if !defined(__AVX512F__) || !defined(__AVX512VNNI__) || !defined(__AVX512BF16__)
#error "the avx512_bf16 target needs avx512's flags, -mavx512vnni and -mavx512bf16"
#endif

#include "cpu/targets/int8.hpp"

namespace rnnfast {

extern const Int8Kernels avx512_bf16_int8;
const Int8Kernels avx512_bf16_int8 = int8_kernels;

}  // namespace rnnfast
