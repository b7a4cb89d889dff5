// One target: the templates of simd, math, cells, gemm and seq, instantiated for the instruction
// set that this file is being compiled for, behind a table of functions. Everything here has
// internal linkage, and so has what includes it, but for the tables themselves.
#pragma once

#include "cpu/drive/checkpoints.hpp"
#include "cpu/drive/pipeline.hpp"
#include "cpu/drive/trace.hpp"
#include "cpu/targets/table.hpp"

namespace rnnfast {
namespace {

template <class Cell, class T>
struct Kernels {
  static std::size_t packed_bytes(const Dims& dims) {
    ForwardWeights<Cell, T> weights(dims);
    return measure(weights);
  }

  static void pack(const Dims& dims, const WeightSet<const T>& from, int threads, char* packed) {
    ForwardWeights<Cell, T> weights(dims);
    place_in(packed, weights);
    team(threads,
         [&](Worker& worker) { worker.stage([&](const Share& own) { weights.pack(from, own); }); });
  }

  template <class Keep>
  static void run_forward(const ForwardCall<T>& call, const PlanSegment& plan, const char* packed,
                          History<Cell, T, Keep>& history) {
    ForwardWeights<Cell, T> weights(call.dims);
    place_in(const_cast<char*>(packed), weights);
    ForwardWorkspace<T> work = forward_workspace(history, plan);
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
    PartWork<Cell, T, KeepLatest> work(call.dims, plan);
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
    if constexpr (Normalized<Cell>) place_in(memory.data(), norm);
    team(plan.threads, [&](Worker& worker) {
      if constexpr (Normalized<Cell>) {
        worker.stage([&](const Share& own) { norm.pack(call.weights, own); });
      }
      worker.stage([&](const Share& own) { write_trace(history, call, norm, own); });
    });
  }

  static constexpr CellKernels<T> table(const char* name) {
    return {name,
            {Cell::gates, Cell::parts, Cell::phases, static_cast<int>(sizeof(T)),
             static_cast<int>(lanes<T>), Cell::has_memory, norm_rows<Cell>(),
             unit_weights_of<Cell>(), Projectable<Cell>, Cell::activations},
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

}  // namespace
}  // namespace rnnfast
