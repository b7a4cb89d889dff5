// Inference in products of bytes, and its probes: the include of the files of each target.
#pragma once

#include "cpu/forward/byte_operands.hpp"
#include "cpu/targets/formats.hpp"

namespace rnnfast {
namespace {

/// Whether h lies within -1 and 1 after every step, if it did before the first.
template <class Cell>
constexpr bool bounds_h = false;
template <>
constexpr bool bounds_h<Rnn<Fixed<Tanh>>> = true;
template <>
constexpr bool bounds_h<Lstm<Usual, Forget::own>> = true;
template <>
constexpr bool bounds_h<Gru<Usual>> = true;
template <>
constexpr bool bounds_h<GruResetBefore<Usual>> = true;

template <class Cell>
constexpr InferenceKernels<float> int8_of() {
  if constexpr (bounds_h<Cell>) {
    return inference_of<typename Cell::Shape, W8>();
  } else {
    return {};
  }
}

using T = float;  // of the cells in the registry's lists
#define RNNFAST_INT8_ENTRY(name, ...) int8_of<__VA_ARGS__>(),
constexpr InferenceKernels<float> fixed_in_int8[] = {RNNFAST_CELLS(RNNFAST_INT8_ENTRY)};
constexpr InferenceKernels<float> chosen_in_int8[] = {RNNFAST_CHOSEN_CELLS(RNNFAST_INT8_ENTRY)};
#undef RNNFAST_INT8_ENTRY

struct Int8Probes {
  static constexpr index N = lanes<float>;
  static constexpr index longest = 1024;  // k of a probe
  static constexpr int chains = 12;

  static void tile(int rows, int vectors, index k, const void* a, const void* b, const float* start,
                   float* c, index repeats) {
    const float scales[largest_tile_rows] = {1, 1, 1, 1, 1, 1, 1, 1};
    multiply({static_cast<const W8::A*>(a), nullptr, k}, scales, rows, vectors, k,
             static_cast<const W8::B*>(b), start, c, repeats);
  }

  static float multiply_loop(index count) {
    const UnsignedBytes a = unsigned_bytes(broadcast_bits(0x01010101));
    const SignedBytes b = signed_bytes(broadcast_bits(0x01010101));
    VecI32 sum[chains];
    for (int i = 0; i < chains; ++i) sum[i] = VecI32{} + i;
    for (index i = 0; i < count; ++i) {
#pragma GCC unroll 16
      for (int j = 0; j < chains; ++j) sum[j] = add_products(sum[j], a, b);
    }
    VecI32 total = {};
    for (int i = 0; i < chains; ++i) total += sum[i];
    return to_float(total)[0];
  }

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

  static void multiply_rows(int rows, int vectors, index k, const float* a, const char* packed,
                            const float* start, float* c) {
    W8::A quantized[largest_tile_rows * longest / W8::group];
    float scales[largest_tile_rows];
    const index row = quantized_row(k) / W8::group;
    for (int m = 0; m < rows; ++m) {
      scales[m] = quantize_row(a + m * k, k, reinterpret_cast<std::uint8_t*>(quantized + m * row));
    }
    multiply({quantized, nullptr, row}, scales, rows, vectors, elements_of<W8>(k),
             reinterpret_cast<const W8::B*>(packed), start, c, 1);
  }

 private:
  static void multiply(Rows<const W8::A> a, const float* scales, int rows, int vectors, index quads,
                       const W8::B* b, const float* start, float* c, index repeats) {
    index numbers[largest_tile_rows];
    count_up(numbers, largest_tile_rows);
    a.offset = numbers;
    const index columns = vectors * N;
    const ByteTileCall call = {
        a, scales, quads, b, columns, {start, numbers, columns}, {c, numbers, columns}};
    const ByteTile function = byte_tile_for(rows, vectors);
    for (index i = 0; i < repeats; ++i) function(call);
  }
};

constexpr Int8Kernels int8_kernels = {
    {fixed_in_int8,
     chosen_in_int8,
     {static_cast<int>(W8::group), sizeof(W8::A), sizeof(W8::B), W8::head, byte_tile_rows,
      Int8Probes::tile, Int8Probes::chains, static_cast<int>(W8::group / W8::passes),
      Int8Probes::multiply_loop}},
    Int8Probes::packed_bytes,
    Int8Probes::pack,
    Int8Probes::multiply_rows};

}  // namespace
}  // namespace rnnfast
