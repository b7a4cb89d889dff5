// One target: the templates of simd, math, cells, gemm and seq, instantiated for the instruction
// set that this file is being compiled for, behind a table of functions. The include of each file
// in this folder; everything here has internal linkage but the table itself.
#pragma once

#include "cells/registry.hpp"
#include "seq/checkpoints.hpp"
#include "seq/pipeline.hpp"
#include "seq/trace.hpp"
#include "targets/table.hpp"

namespace rnnfast {
namespace {

template <class Cell, class T>
struct Kernels {
  static std::size_t packed_bytes(const Dims& dims) {
    ForwardWeights<Cell, T> weights(dims);
    return measure(weights);
  }

  static void pack(const Dims& dims, const Weights<T>& from, int threads, char* packed) {
    ForwardWeights<Cell, T> weights(dims);
    place_in(packed, weights);
    team(threads, [&](Worker& worker) { weights.pack(from, worker); });
  }

  template <class Keep>
  static void run_forward(const ForwardCall<T>& call, const PlanSegment& plan, const char* packed,
                          History<Cell, T, Keep>& history) {
    ForwardWeights<Cell, T> weights(call.dims);
    place_in(const_cast<char*>(packed), weights);
    ForwardWorkspace<T> work = forward_workspace(history, plan, plan.threads);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads, [&](Worker& worker) {
      ForwardPass<Cell, T, Keep>(call, weights, history, work, plan, worker)
          .run({0, call.dims.steps});
    });
  }

  static void forward(const ForwardCall<T>& call, const PlanSegment& plan, const char* packed) {
    History<Cell, T, KeepLatest> history(call.dims, plan);
    const Arena memory(measure(history));
    place_in(memory.data(), history);
    run_forward(call, plan, packed, history);
  }

  static std::size_t saved_bytes(const Dims& dims, const PlanSegment& plan) {
    History<Cell, T, KeepAll> history(dims, plan);
    return measure(history);
  }

  static void forward_saving(const ForwardCall<T>& call, const PlanSegment& plan,
                             const char* packed, char* saved) {
    History<Cell, T, KeepAll> history(call.dims, plan);
    place_in(saved, history);
    run_forward(call, plan, packed, history);
  }

  static void backward(const BackwardCall<T>& call, const PlanSegment& plan, const char* saved) {
    History<Cell, T, KeepAll> history(call.dims, plan);
    place_in(const_cast<char*>(saved), history);
    BackwardWorkspace<Cell, T> work(call, plan);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads,
         [&](Worker& worker) { BackwardPass<Cell, T>(call, history, work, worker).run(); });
  }

  static std::size_t checkpoint_bytes(const Dims& dims, const PlanSegment& plan) {
    Checkpoints<Cell, T> checkpoints(dims, plan);
    return measure(checkpoints);
  }

  static void forward_saving_checkpoints(const ForwardCall<T>& call, const PlanSegment& plan,
                                         const char* packed, char* saved) {
    ForwardWeights<Cell, T> weights(call.dims);
    place_in(const_cast<char*>(packed), weights);
    Checkpoints<Cell, T> checkpoints(call.dims, plan);
    place_in(saved, checkpoints);
    PartWork<Cell, T, KeepLatest> work(call.dims, plan, plan.threads);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads, [&](Worker& worker) {
      run_saving_checkpoints(call, weights, work.history, work.workspace, checkpoints, plan,
                             worker);
    });
  }

  static void backward_from_checkpoints(const BackwardCall<T>& call, const PlanSegment& plan,
                                        const char* saved) {
    Checkpoints<Cell, T> checkpoints(call.dims, plan);
    place_in(const_cast<char*>(saved), checkpoints);
    StretchWork<Cell, T> work(call, plan);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads,
         [&](Worker& worker) { run_from_checkpoints(call, work, checkpoints, plan, worker); });
  }

  static void trace(const TraceCall<T>& call, const Dims& dims, const PlanSegment& plan,
                    const char* saved) {
    History<Cell, T, KeepAll> history(dims, plan);
    place_in(const_cast<char*>(saved), history);
    NormWeights<Cell, T> norm = {history.layout};
    const Arena memory(Normalized<Cell> ? measure(norm) : 0);
    if constexpr (Normalized<Cell>) {
      place_in(memory.data(), norm);
      norm.pack(call.weights, Worker{});
    }
    team(plan.threads, [&](Worker& worker) {
      write_trace(history, call, norm, share(dims.rows, worker.id, worker.count));
    });
  }

  static constexpr CellKernels<T> table(const char* name) {
    return {name,
            {Cell::gates, Cell::parts, Cell::phases, static_cast<int>(sizeof(T)),
             static_cast<int>(lanes<T>), Normalized<Cell>},
            Cell::has_memory,
            packed_bytes,
            pack,
            forward,
            saved_bytes,
            forward_saving,
            backward,
            checkpoint_bytes,
            forward_saving_checkpoints,
            backward_from_checkpoints,
            trace,
            PartWork<Cell, T, KeepLatest>::bytes,
            run_stack<Cell, T, KeepLatest>,
            PartWork<Cell, T, KeepAll>::bytes,
            run_stack<Cell, T, KeepAll>};
  }
};

#define RNNFAST_TABLE_ENTRY(name, ...) Kernels<__VA_ARGS__, T>::table(name),
template <class T>
constexpr CellKernels<T> cell_tables[] = {RNNFAST_CELLS(RNNFAST_TABLE_ENTRY)};
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
    const TileCall<T> call = {{{a, numbers, k}, {1, k, k, 0}, b, columns},
                              {start, numbers, columns},
                              {c, numbers, columns}};
    const Tile<T> function = tile_for<T>(rows, vectors);
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
    const FlushDenormals flush;
    for (index i = 0; i < count; i += N) store(y + i, rnnfast::sigmoid(load(x + i)));
  }

  static void tanh(const T* x, T* y, index count) {
    const FlushDenormals flush;
    for (index i = 0; i < count; i += N) store(y + i, rnnfast::tanh(load(x + i)));
  }

  static void pack_lanes(const T* w, index rows, index length, T* to) {
    rnnfast::pack_lanes(w, length, rows, length, to, N);
  }

  static void unpack_lanes(const T* from, index rows, index length, T* w) {
    rnnfast::unpack_lanes(from, N, rows, length, w, length);
  }

  static constexpr Probes<T> table() {
    return {
        tile_vectors, tile_rows, rnnfast::widest_tile, tile,        strip_tile, chains, fma_loop,
        sigmoid,      tanh,      pack_lanes,           unpack_lanes};
  }
};

template <class T>
constexpr ScalarKernels<T> scalar_kernels() {
  return {cell_tables<T>, static_cast<int>(sizeof(cell_tables<T>) / sizeof(CellKernels<T>)),
          ProbeFunctions<T>::table()};
}

}  // namespace
}  // namespace rnnfast
