// One target: the templates of simd, math, cells, gemm and cpu, instantiated for the instruction
// set that this file is being compiled for, behind a table of functions. Everything here has
// internal linkage, and so has what includes it, but for the tables themselves.
#pragma once

#include "cpu/drive/checkpoints.hpp"
#include "cpu/drive/pipeline.hpp"
#include "cpu/targets/table.hpp"

namespace rnnfast {
namespace {

/// The functions of a table, once a shape and product format.
template <class Shape, class F>
struct ShapeKernels {
  using T = typename F::Sum;
  using Functions = CellFunctions<Shape, T>;

  static std::size_t packed_bytes(const Dims& dims, const WeightSet<const T>& from) {
    ForwardWeights<Shape, F> weights(dims);
    return measure(weights) + weights.kept_bytes(from);
  }

  static void pack(const Dims& dims, const WeightSet<const T>& from, int threads, char* packed) {
    ForwardWeights<Shape, F> weights(dims);
    place_in(packed, weights);
    team(threads,
         [&](Worker& worker) { worker.stage([&](const Share& own) { weights.pack(from, own); }); });
  }

  static const Functions& functions(Epilogues of) { return *static_cast<const Functions*>(of); }

  /// With a history that has its place, or is placed in `work`.
  [[gnu::noinline]] static void run(const Functions& cell, const ForwardCall<T>& call,
                                    const PlanSegment& plan, const char* packed,
                                    PartWork<Shape, F>& work) {
    ForwardWeights<Shape, F> weights(call.dims);
    place_in(const_cast<char*>(packed), weights);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads, [&](Worker& worker) {
      run_forward(cell, call, weights, work.history, work.workspace, plan, {0, call.dims.steps},
                  worker);
    });
  }

  [[gnu::noinline]] static void forward(Epilogues of, const ForwardCall<T>& call,
                                        const PlanSegment& plan, const char* packed) {
    PartWork<Shape, F> work(call.dims, plan, Keep::latest);
    run(functions(of), call, plan, packed, work);
  }

  static constexpr std::size_t standing_bytes = sizeof(ForwardContext<Shape, F>);

  static void make_ready(const ForwardCall<T>& call, const PlanSegment& plan, const char* packed,
                         char* memory, char* standing) {
    ForwardWeights<Shape, F> weights(call.dims);
    place_in(const_cast<char*>(packed), weights);
    PartWork<Shape, F> work(call.dims, plan, Keep::latest);
    const std::size_t bytes = measure(work);
    place_in(memory, work);
    unpoison(memory, bytes);  // others lay it out in their own way between two passes
    const ForwardContext<Shape, F> context = {call, weights, work.history, work.workspace, plan};
    __builtin_memcpy(standing, &context, sizeof context);
  }

  [[gnu::noinline]] static void take_alone(Epilogues of, char* standing, const T* x, T* y) {
    auto& context = *reinterpret_cast<ForwardContext<Shape, F>*>(standing);
    context.call.x.data = x;
    context.call.y.data = y;
    Worker worker = Worker::undisturbed();
    run_forward(functions(of), context, {0, context.call.dims.steps}, worker);
  }

  static std::size_t saved_bytes(const Dims& dims, const PlanSegment& plan) {
    History<Shape, T> history(dims, plan, Keep::all);
    return measure(history);
  }

  [[gnu::noinline]] static void forward_saving(Epilogues of, const ForwardCall<T>& call,
                                               const PlanSegment& plan, const char* packed,
                                               char* saved) {
    PartWork<Shape, F> work(call.dims, plan, Keep::all);
    place_in(saved, work.history);
    run(functions(of), call, plan, packed, work);
  }

  [[gnu::noinline]] static void backward(Epilogues of, const BackwardCall<T>& call,
                                         const PlanSegment& plan, const char* saved) {
    History<Shape, T> history(call.dims, plan, Keep::all);
    place_in(const_cast<char*>(saved), history);
    BackwardWork<Shape, F> work(call, plan);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads, [&](Worker& worker) {
      run_backward(functions(of), call, history, work, worker, [](auto& pass) { pass.run(); });
    });
  }

  static std::size_t checkpoint_bytes(const Dims& dims, const PlanSegment& plan) {
    Checkpoints<Shape, T> checkpoints(dims, plan);
    return measure(checkpoints);
  }

  [[gnu::noinline]] static void forward_saving_checkpoints(Epilogues of, const ForwardCall<T>& call,
                                                           const PlanSegment& plan,
                                                           const char* packed, char* saved) {
    ForwardWeights<Shape, F> weights(call.dims);
    place_in(const_cast<char*>(packed), weights);
    Checkpoints<Shape, T> checkpoints(call.dims, plan);
    place_in(saved, checkpoints);
    PartWork<Shape, F> work(call.dims, plan, Keep::latest);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads, [&](Worker& worker) {
      run_saving_checkpoints(functions(of), call, weights, work.history, work.workspace,
                             checkpoints, plan, worker);
    });
  }

  [[gnu::noinline]] static void backward_from_checkpoints(Epilogues of, const BackwardCall<T>& call,
                                                          const PlanSegment& plan,
                                                          const char* saved) {
    Checkpoints<Shape, T> checkpoints(call.dims, plan);
    place_in(const_cast<char*>(saved), checkpoints);
    StretchWork<Shape, F> work(call, plan);
    const Arena memory(measure(work));
    place_in(memory.data(), work);
    team(plan.threads, [&](Worker& worker) {
      run_from_checkpoints(functions(of), call, work, checkpoints, plan, worker);
    });
  }

  [[gnu::noinline]] static void trace(Epilogues of, const TraceCall<T>& call, const Dims& dims,
                                      const PlanSegment& plan, const char* saved) {
    History<Shape, T> history(dims, plan, Keep::all);
    place_in(const_cast<char*>(saved), history);
    NormWeights<Shape, T> norm = {history.layout};
    const Arena memory(Normalized<Shape> ? measure(norm) : 0);
    if constexpr (Normalized<Shape>) place_in(memory.data(), norm);
    team(plan.threads, [&](Worker& worker) {
      if constexpr (Normalized<Shape>) {
        worker.stage([&](const Share& own) { norm.pack(call.weights, own); });
      }
      worker.stage([&](const Share& own) { functions(of).trace(history, call, norm, own); });
    });
  }

  static std::size_t stack_work(const Dims& dims, const PlanSegment& plan) {
    return PartWork<Shape, F>::bytes(dims, plan, Keep::latest);
  }
  static std::size_t stack_work_saving(const Dims& dims, const PlanSegment& plan) {
    return PartWork<Shape, F>::bytes(dims, plan, Keep::all);
  }
  [[gnu::noinline]] static void stack(Epilogues of, const StackCall<T>& call) {
    run_stack<F>(functions(of), call, Keep::latest);
  }
  [[gnu::noinline]] static void stack_saving(Epilogues of, const StackCall<T>& call) {
    run_stack<F>(functions(of), call, Keep::all);
  }
};

template <class Shape, class F>
constexpr InferenceKernels<typename F::Sum> inference_of() {
  using T = typename F::Sum;
  using Of = ShapeKernels<Shape, F>;
  return {{Shape::gates, Shape::parts, Shape::phases, static_cast<int>(sizeof(T)),
           static_cast<int>(lanes<T>), Shape::has_memory, norm_rows<Shape>(),
           unit_weights_of<Shape>(), may_project<Shape, F>, Shape::activations, weight_bytes<F>,
           static_cast<int>(F::group / F::passes)},
          Of::packed_bytes,
          Of::pack,
          Of::forward,
          Of::standing_bytes,
          Of::make_ready,
          Of::take_alone,
          Of::stack_work,
          Of::stack};
}

/// All null in a build that does not train.
template <class Shape, class F>
constexpr TrainingKernels<typename F::Sum> training_of() {
  if constexpr (trains) {
    using Of = ShapeKernels<Shape, F>;
    return {Of::saved_bytes,
            Of::forward_saving,
            Of::backward,
            Of::checkpoint_bytes,
            Of::forward_saving_checkpoints,
            Of::backward_from_checkpoints,
            Of::stack_work_saving,
            Of::stack_saving};
  } else {
    return {};
  }
}

template <class Shape, class T>
constexpr auto trace_of() -> decltype(CellKernels<T>::trace) {
  if constexpr (trains) {
    return ShapeKernels<Shape, Plain<T>>::trace;
  } else {
    return nullptr;
  }
}

template <class Cell, class T>
constexpr CellKernels<T> kernels_of(const char* name) {
  using Shape = typename Cell::Shape;
  using F = Plain<T>;
  return {inference_of<Shape, F>(), training_of<Shape, F>(), name, &FunctionsOf<Cell, T>::all,
          trace_of<Shape, T>()};
}

}  // namespace
}  // namespace rnnfast
