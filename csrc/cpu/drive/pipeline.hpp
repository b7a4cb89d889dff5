// Several layers at once, none of which is worth two threads by itself.
//
//   one direction     a worker has some adjacent layers, and takes a chunk of steps through all of
//                     them once the worker below has done so:
//
//                       worker 0:  chunk 0   chunk 1   chunk 2   ...
//                       worker 1:            chunk 0   chunk 1   chunk 2   ...
//
//   both directions   a worker has one of them, in all layers; they meet after each layer, since
//                     the first step of the next one reads the last of the reverse direction
//
// Workers wait for each other once a chunk or a layer instead of once a step, and weights, states
// and gates of a layer stay with one core. The steps are those of single layers
// (cpu/forward/forward.hpp).
#pragma once

#include "cpu/drive/cell_functions.hpp"
#include "cpu/drive/stack.hpp"

namespace rnnfast {
namespace {

/// What a part keeps while others have their turn, beside its weights and what it saves.
template <class Shape, class F>
struct PartWork {
  using T = typename F::Sum;
  History<Shape, T> history;
  ForwardWorkspace<Shape, F> workspace;

  PartWork(const Dims& dims, const PlanSegment& plan, Keep keep)
      : history(dims, plan, keep), workspace(history, plan) {}

  void place(Bump& bump) {
    if (history.keep == Keep::latest) history.place(bump);
    workspace.place(bump);
  }

  static std::size_t bytes(const Dims& dims, const PlanSegment& plan, Keep keep) {
    PartWork work(dims, plan, keep);
    return measure(work);
  }
};

/// Packs the weights of a part unless they are packed already.
template <class Shape, class F>
void pack_part(const StackPart<typename F::Sum>& part, Worker& worker) {
  if (!part.weights[WeightId::w_ih]) return;
  ForwardWeights<Shape, F> weights(part.call.dims);
  place_in(part.packed, weights);
  worker.stage([&](const Share& own) { weights.pack(part.weights, own); });
}

/// Some steps of a part. Its memory is laid out anew each time, always alike.
template <class F, class Shape, class T>
[[gnu::noinline]] void run_part(const CellFunctions<Shape, T>& cell, const StackPart<T>& part,
                                Keep keep, Span steps, Worker& worker) {
  const Dims& dims = part.call.dims;
  ForwardWeights<Shape, F> weights(dims);
  PartWork<Shape, F> work(dims, part.plan, keep);
  place_in(part.packed, weights);
  if (keep == Keep::all) place_in(part.saved, work.history);
  place_in(part.work, work);
  run_forward(cell, part.call, weights, work.history, work.workspace, part.plan, steps, worker);
}

template <class F, class Shape, class T>
void run_layers(const CellFunctions<Shape, T>& cell, const StackCall<T>& call, Keep keep,
                Worker& worker) {
  const index steps = call.parts->call.dims.steps;
  worker.alone([&](const Share& own) {
    const Span layers = own.of(call.layers);
    for (index layer = layers.begin; layer < layers.end; ++layer) {
      pack_part<Shape, F>(call.parts[layer], worker);
    }
  });
  const index chunk = call.plan.chunk_steps;
  worker.relay(static_cast<int>(ceil_div(steps, chunk)), [&](const Share& own, int piece) {
    const Span layers = own.of(call.layers);
    const Span part = {piece * chunk, smaller((piece + 1) * chunk, steps)};
    for (index layer = layers.begin; layer < layers.end; ++layer) {
      run_part<F>(cell, call.parts[layer], keep, part, worker);
    }
  });
}

template <class F, class Shape, class T>
void run_directions(const CellFunctions<Shape, T>& cell, const StackCall<T>& call, Keep keep,
                    Worker& worker) {
  for (index layer = 0; layer < call.layers; ++layer) {
    worker.alone([&](const Share& own) {
      const Span directions = own.of(call.directions);
      for (index direction = directions.begin; direction < directions.end; ++direction) {
        const StackPart<T>& part = call.parts[layer * call.directions + direction];
        pack_part<Shape, F>(part, worker);
        run_part<F>(cell, part, keep, {0, part.call.dims.steps}, worker);
      }
    });
  }
}

template <class F, class Shape, class T>
void run_stack(const CellFunctions<Shape, T>& cell, const StackCall<T>& call, Keep keep) {
  team(call.plan.threads, [&](Worker& worker) {
    call.directions == 1 ? run_layers<F>(cell, call, keep, worker)
                         : run_directions<F>(cell, call, keep, worker);
  });
}

}  // namespace
}  // namespace rnnfast
