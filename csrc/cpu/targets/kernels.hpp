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

/// What the shape of a cell says.
template <class Shape, class T>
struct ShapeKernels {
  static std::size_t packed_bytes(const Dims& dims) {
    ForwardWeights<Shape, T> weights(dims);
    return measure(weights);
  }

  static void pack(const Dims& dims, const WeightSet<const T>& from, int threads, char* packed) {
    ForwardWeights<Shape, T> weights(dims);
    place_in(packed, weights);
    team(threads,
         [&](Worker& worker) { worker.stage([&](const Share& own) { weights.pack(from, own); }); });
  }

  static std::size_t saved_bytes(const Dims& dims, const PlanSegment& plan) {
    History<Shape, T> history(dims, plan, Keep::all);
    return measure(history);
  }

  static std::size_t checkpoint_bytes(const Dims& dims, const PlanSegment& plan) {
    Checkpoints<Shape, T> checkpoints(dims, plan);
    return measure(checkpoints);
  }
};

template <class Cell, class T>
struct Kernels {
  using Shape = typename Cell::Shape;

  template <Keep keep>
  static void run(const ForwardCall<T>& call, const PlanSegment& plan, const char* packed,
                  History<Shape, T>& history) {
    ForwardWeights<Shape, T> weights(call.dims);
    place_in(const_cast<char*>(packed), weights);
    ForwardWorkspace<T> work = forward_workspace(history, plan);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads, [&](Worker& worker) {
      run_forward<Cell, T, keep>(call, weights, history, work, plan, {0, call.dims.steps}, worker);
    });
  }

  static void forward(const ForwardCall<T>& call, const PlanSegment& plan, const char* packed) {
    History<Shape, T> history(call.dims, plan, Keep::latest);
    const Arena memory(measure(history));
    place_in(memory.data(), history);
    run<Keep::latest>(call, plan, packed, history);
  }

  static void forward_saving(const ForwardCall<T>& call, const PlanSegment& plan,
                             const char* packed, char* saved) {
    History<Shape, T> history(call.dims, plan, Keep::all);
    place_in(saved, history);
    run<Keep::all>(call, plan, packed, history);
  }

  static void backward(const BackwardCall<T>& call, const PlanSegment& plan, const char* saved) {
    History<Shape, T> history(call.dims, plan, Keep::all);
    place_in(const_cast<char*>(saved), history);
    BackwardWorkspace<Shape, T> work(call, plan);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads, [&](Worker& worker) {
      with_backward<Cell>(call, history, work, worker, [](auto&& pass) { pass.run(); });
    });
  }

  static void forward_saving_checkpoints(const ForwardCall<T>& call, const PlanSegment& plan,
                                         const char* packed, char* saved) {
    ForwardWeights<Shape, T> weights(call.dims);
    place_in(const_cast<char*>(packed), weights);
    Checkpoints<Shape, T> checkpoints(call.dims, plan);
    place_in(saved, checkpoints);
    PartWork<Shape, T> work(call.dims, plan, Keep::latest);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads, [&](Worker& worker) {
      run_saving_checkpoints<Cell>(call, weights, work.history, work.workspace, checkpoints, plan,
                                   worker);
    });
  }

  static void backward_from_checkpoints(const BackwardCall<T>& call, const PlanSegment& plan,
                                        const char* saved) {
    Checkpoints<Shape, T> checkpoints(call.dims, plan);
    place_in(const_cast<char*>(saved), checkpoints);
    StretchWork<Shape, T> work(call, plan);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads, [&](Worker& worker) {
      run_from_checkpoints<Cell>(call, work, checkpoints, plan, worker);
    });
  }

  static void trace(const TraceCall<T>& call, const Dims& dims, const PlanSegment& plan,
                    const char* saved) {
    History<Shape, T> history(dims, plan, Keep::all);
    place_in(const_cast<char*>(saved), history);
    NormWeights<Shape, T> norm = {history.layout};
    const Arena memory(Normalized<Shape> ? measure(norm) : 0);
    if constexpr (Normalized<Shape>) place_in(memory.data(), norm);
    team(plan.threads, [&](Worker& worker) {
      if constexpr (Normalized<Shape>) {
        worker.stage([&](const Share& own) { norm.pack(call.weights, own); });
      }
      worker.stage([&](const Share& own) { write_trace<Cell>(history, call, norm, own); });
    });
  }

  static constexpr CellKernels<T> table(const char* name) {
    return {name,
            {Cell::gates, Cell::parts, Cell::phases, static_cast<int>(sizeof(T)),
             static_cast<int>(lanes<T>), Cell::has_memory, norm_rows<Shape>(),
             unit_weights_of<Shape>(), Projectable<Shape>, Cell::activations},
            ShapeKernels<Shape, T>::packed_bytes,
            ShapeKernels<Shape, T>::pack,
            forward,
            ShapeKernels<Shape, T>::saved_bytes,
            forward_saving,
            backward,
            ShapeKernels<Shape, T>::checkpoint_bytes,
            forward_saving_checkpoints,
            backward_from_checkpoints,
            trace,
            PartWork<Shape, T>::template bytes<Keep::latest>,
            run_stack<Cell, T, Keep::latest>,
            PartWork<Shape, T>::template bytes<Keep::all>,
            run_stack<Cell, T, Keep::all>};
  }
};

}  // namespace
}  // namespace rnnfast
