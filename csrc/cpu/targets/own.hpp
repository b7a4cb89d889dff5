// All cells in one scalar type, CTC, and the probes: the include of the files of each target.
#pragma once

#include "cells/registry.hpp"
#include "cpu/targets/kernels.hpp"
#include "ctc/rows.hpp"

namespace rnnfast {
namespace {

#define RNNFAST_TABLE_ENTRY(name, ...) kernels_of<__VA_ARGS__, T>(name),
template <class T>
constexpr CellKernels<T> cells[] = {RNNFAST_CELLS(RNNFAST_TABLE_ENTRY)};
template <class T>
constexpr CellKernels<T> chosen_cells[] = {RNNFAST_CHOSEN_CELLS(RNNFAST_TABLE_ENTRY)};
#undef RNNFAST_TABLE_ENTRY

template <class T>
struct ProbeFunctions {
  static constexpr index N = lanes<T>;
  // Two multipliers and adders, where an addition after a product comes five cycles later at most.
  static constexpr int chains = 12;

  static void tile(int rows, int vectors, index k, const T* a, const T* b, const T* start, T* c,
                   index repeats) {
    index numbers[largest_tile_rows];
    count_up(numbers, largest_tile_rows);
    const index columns = vectors * N;
    const TileCall<Plain<T>> call = {
        {a, numbers, k},           {1, k, k, 0},         b, columns, tile_vectors * N,
        {start, numbers, columns}, {c, numbers, columns}};
    const Tile<Plain<T>> function = tile_for<Plain<T>>(rows, vectors);
    for (index i = 0; i < repeats; ++i) function(call);
  }

  static void strip_tile(int columns, int vectors, index k, const T* strip, const T* b, T* c) {
    const index stride = vectors * N;
    strip_tile_for<T>(columns, vectors)({strip, k, b, stride, c, stride, c, stride});
  }

  static T fma_loop(index count) {
    Vec<T> sum[chains];
    for (int i = 0; i < chains; ++i) sum[i] = broadcast(static_cast<T>(i));
    const Vec<T> a = broadcast(static_cast<T>(0.5));
    for (index i = 0; i < count; ++i) {
#pragma GCC unroll 16
      for (int j = 0; j < chains; ++j) sum[j] = fma(sum[j], a, a);
    }
    T total = 0;
    for (int i = 0; i < chains; ++i) total += sum[i][0];
    return total;
  }

  static void sigmoid(const T* x, T* y, index count) {
    const KernelMode mode;
    for (index i = 0; i < count; i += N) store(y + i, rnnfast::sigmoid(load(x + i)));
  }

  static void tanh(const T* x, T* y, index count) {
    const KernelMode mode;
    for (index i = 0; i < count; i += N) store(y + i, rnnfast::tanh(load(x + i)));
  }

  static void chosen(const ActivationChoice& choice, const T* x, T* y, index count) {
    const KernelMode mode;
    const Chosen<T> activation(choice);
    for (index i = 0; i < count; i += N) store(y + i, activation.value(load(x + i)));
  }

  static void chosen_slope(const ActivationChoice& choice, const T* y, T* slope, index count) {
    const KernelMode mode;
    const Chosen<T> activation(choice);
    for (index i = 0; i < count; i += N) store(slope + i, activation.slope(load(y + i)));
  }

  static void pack_lanes(const T* w, index rows, index length, T* to) {
    rnnfast::pack_lanes<Plain<T>>(w, length, rows, length, to, N);
  }

  static void unpack_lanes(const T* from, index rows, index length, T* w) {
    rnnfast::unpack_lanes(from, N, rows, length, w, length);
  }

  static constexpr Probes<T> table() {
    return {tile_vectors, tile_rows,    rnnfast::widest_tile,
            tile,         strip_tile,   chains,
            fma_loop,     sigmoid,      tanh,
            chosen,       chosen_slope, pack_lanes,
            unpack_lanes};
  }
};

template <class T, int count>
constexpr CellTable<T> table_of(const CellKernels<T> (&cells)[count]) {
  return {cells, count};
}

template <class T>
constexpr ScalarKernels<T> scalar_kernels = {table_of(cells<T>), table_of(chosen_cells<T>),
                                             ProbeFunctions<T>::table(), run_ctc<T>};

}  // namespace
}  // namespace rnnfast
