// The cells that run in products of bytes, and the probes: the include of the files of each target.
#pragma once

#include "cells/registry.hpp"
#include "cpu/forward/byte_operands.hpp"
#include "cpu/targets/kernels.hpp"

namespace rnnfast {
namespace {

using T = float;  // in which the registry's cells are
#define RNNFAST_TABLE_ENTRY(name, ...) inference_kernels_of<__VA_ARGS__, W8>(name),
constexpr CellKernels<float> byte_cells[] = {RNNFAST_BYTE_CELLS(RNNFAST_TABLE_ENTRY)};
#undef RNNFAST_TABLE_ENTRY

struct ByteProbes {
  static constexpr index N = lanes<float>;
  static constexpr index longest = 1024;  // k of a probe

  static std::size_t packed_bytes(int vectors, index k) {
    return static_cast<std::size_t>(Columns<W8>::size(column_length<W8>(k), vectors)) *
           sizeof(W8::B);
  }

  static void pack(int vectors, index k, const float* w, const float* scales, char* packed) {
    const Columns<W8, W8::B> to = {reinterpret_cast<W8::B*>(packed), column_length<W8>(k), vectors};
    for (index v = 0; v < vectors; ++v) {
      pack_quantized_lanes(w + v * N * k, N, k, scales ? scales + v * N : nullptr, to.at(v),
                           to.stride());
    }
  }

  static void tile(int rows, int vectors, index k, const float* a, const char* packed,
                   const float* start, float* c, index repeats) {
    W8::A quantized[largest_tile_rows * longest / W8::group];
    float scales[largest_tile_rows];
    index numbers[largest_tile_rows];
    count_up(numbers, largest_tile_rows);
    const index row = quantized_row(k) / W8::group;
    for (int m = 0; m < rows; ++m) {
      scales[m] = quantize_row(a + m * k, k, reinterpret_cast<std::uint8_t*>(quantized + m * row));
    }
    const index columns = vectors * N;
    const ByteTileCall call = {{quantized, numbers, row},
                               scales,
                               ceil_div(k, W8::group),
                               reinterpret_cast<const W8::B*>(packed),
                               columns,
                               {start, numbers, columns},
                               {c, numbers, columns}};
    const ByteTile function = byte_tile_for(rows, vectors);
    for (index i = 0; i < repeats; ++i) function(call);
  }

  static constexpr ByteKernels table() {
    return {{byte_cells, sizeof byte_cells / sizeof *byte_cells},
            byte_tile_rows,
            packed_bytes,
            pack,
            tile};
  }
};

}  // namespace
}  // namespace rnnfast
