// Training in memory that grows with the square root of T: the forward pass saves the states before
// each stretch of steps and nothing else; the backward pass makes a stretch once more from there,
// keeping all of it, and takes it back before it turns to the one before:
//
//   stretches   |--|----|----|----|    of equal length, counted from the last step
//   saved       ^  ^    ^    ^         h and c
//
// A stretch is whole blocks of the weight gradients, so that every sum runs as it would have: the
// gradients are the same, bit for bit.
// Source: T. Chen et al., "Training deep nets with sublinear memory cost", 2016.
#pragma once

#include "cpu/drive/cell_functions.hpp"

namespace rnnfast {
namespace {

/// What is saved.
template <class Shape, class T>
struct Checkpoints {
  Dims dims;
  index stretch_steps;
  T* h = nullptr;  // [stretches][B][R]
  T* c = nullptr;  // [stretches][B][H]

  Checkpoints(const Dims& dims, const PlanSegment& plan)
      : dims(dims), stretch_steps(plan.stretch_steps) {}

  void place(Bump& bump) {
    h = bump.take<T>(count() * h_size());
    if (Shape::has_memory) c = bump.take<T>(count() * c_size());
  }

  index count() const { return ceil_div(dims.steps, stretch_steps); }
  Span stretch(index i) const {
    const index end = dims.steps - (count() - 1 - i) * stretch_steps;
    return {larger(end - stretch_steps, 0), end};
  }
  /// The states before a stretch.
  States<T> before(index i) const {
    return {h + i * h_size(), Shape::has_memory ? c + i * c_size() : nullptr};
  }

  /// A share of the states before the first stretch.
  void save_initial(const States<const T>& initial, const Share& own) const {
    save(initial.h, h, own.of(h_size()));
    if (Shape::has_memory) save(initial.c, c, own.of(c_size()));
  }

 private:
  index h_size() const { return dims.rows * outputs_of(dims); }
  index c_size() const { return dims.rows * dims.units; }

  static void save(const T* from, T* to, Span elements) {
    const std::size_t bytes = static_cast<std::size_t>(elements.size()) * sizeof(T);
    if (from) {
      __builtin_memcpy(to + elements.begin, from + elements.begin, bytes);
    } else {
      __builtin_memset(to + elements.begin, 0, bytes);
    }
  }
};

/// A worker's part of the forward pass.
template <class Shape, class F, class T = typename F::Sum>
void run_saving_checkpoints(const CellFunctions<Shape, T>& cell, const ForwardCall<T>& call,
                            const ForwardWeights<Shape, F>& weights,
                            const History<Shape, T>& history,
                            const ForwardWorkspace<Shape, F>& work,
                            const Checkpoints<Shape, T>& saved, const PlanSegment& plan,
                            Worker& worker) {
  worker.stage([&](const Share& own) { saved.save_initial(call.initial, own); });
  ForwardCall<T> part = call;
  for (index i = 0; i < saved.count(); ++i) {
    const Span steps = saved.stretch(i);
    part.last = i + 1 < saved.count() ? saved.before(i + 1) : call.last;
    run_forward(cell, part, weights, history.of(steps), work, plan, steps, worker);
    part.initial = {part.last.h, part.last.c};
  }
}

/// What the backward pass works with: the history of a stretch, and what both passes need.
template <class Shape, class F>
struct StretchWork {
  using T = typename F::Sum;
  ForwardWeights<Shape, F> weights;
  History<Shape, T> history;
  ForwardWorkspace<Shape, F> forward;
  BackwardWorkspace<Shape, T> backward;
  T* y = nullptr;  // [B][row of h]: where each step leaves its results, which are known already

  StretchWork(const BackwardCall<T>& call, const PlanSegment& plan)
      : weights(call.dims),
        history(call.dims, plan, Keep::all),
        forward(history, plan),
        backward(call, plan) {}

  void place(Bump& bump) {
    weights.place(bump);
    history.place(bump);
    forward.place(bump);
    backward.place(bump);
    y = bump.take<T>(history.dims.rows * history.outputs.row());
  }
};

/// A worker's part of the backward pass.
template <class Shape, class F, class T = typename F::Sum>
void run_from_checkpoints(const CellFunctions<Shape, T>& cell, const BackwardCall<T>& call,
                          StretchWork<Shape, F>& work, const Checkpoints<Shape, T>& saved,
                          const PlanSegment& plan, Worker& worker) {
  run_backward(cell, call, work.history, work.backward, worker, [&](auto& backward) {
    backward.prepare();
    worker.stage([&](const Share& own) { work.weights.pack(call.weights, own); });
    for (index i = saved.count() - 1; i >= 0; --i) {
      const Span steps = saved.stretch(i);
      const States<T> before = saved.before(i);
      const ForwardCall<T> again = {call.dims,
                                    call.x,
                                    {before.h, before.c},
                                    {work.y, 0, work.history.outputs.row()},
                                    {},
                                    call.rows,
                                    call.resets,
                                    call.masks,
                                    call.activations};
      run_forward(cell, again, work.weights, work.history.of(steps), work.forward, plan, steps,
                  worker);
      backward.take(steps);
    }
    backward.finish();
  });
}

}  // namespace
}  // namespace rnnfast
