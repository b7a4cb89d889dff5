// What is compiled of a cell by itself. Everything else of a pass is compiled once a shape, and is
// given these.
#pragma once

#include "cpu/backward/backward.hpp"
#include "cpu/backward/normalized.hpp"
#include "cpu/drive/trace.hpp"
#include "cpu/forward/forward.hpp"
#include "cpu/forward/normalized.hpp"

namespace rnnfast {
namespace {

/// Whether this build has what training needs: backward passes, and forward ones that save. One
/// that only serves is half as large.
#if defined(RNNFAST_INFERENCE_ONLY)
constexpr bool trains = false;
#else
constexpr bool trains = true;
#endif

template <class Shape, class T>
struct CellFunctions {
  /// Epilogues, with which `body` makes a forward pass.
  using ForwardBody = void (*)(void* context, const CellForward<Shape, T>&);
  void (*forward)(const EpilogueContext<Shape, T>&, ForwardBody body, void* context);
  /// Likewise a backward pass.
  using BackwardBody = void (*)(void* context, const CellBackward<Shape, T>&);
  void (*backward)(const ActivationChoice*, BackwardBody body, void* context);
  void (*trace)(const History<Shape, T>&, const TraceCall<T>&, const NormWeights<Shape, T>&,
                const Share&);
};

template <class Cell, class T>
struct FunctionsOf {
  using Shape = typename Cell::Shape;

  template <Keep keep>
  static auto cell_forward(const EpilogueContext<Shape, T>& of) {
    if constexpr (Normalized<Shape>) {
      return NormalizedForwardOf<Cell, T>(of);
    } else {
      return CellForwardOf<Cell, T, keep>(of);
    }
  }

  static void forward(const EpilogueContext<Shape, T>& of,
                      typename CellFunctions<Shape, T>::ForwardBody body, void* context) {
    if constexpr (trains) {
      if (of.history.keep == Keep::all) return body(context, cell_forward<Keep::all>(of));
    }
    body(context, cell_forward<Keep::latest>(of));
  }

  static auto cell_backward(const ActivationChoice* activations) {
    if constexpr (Normalized<Shape>) {
      return NormalizedBackwardOf<Cell, T>(activations);
    } else {
      return CellBackwardOf<Cell, T>(activations);
    }
  }

  static void backward(const ActivationChoice* activations,
                       typename CellFunctions<Shape, T>::BackwardBody body, void* context) {
    body(context, cell_backward(activations));
  }

  static constexpr CellFunctions<Shape, T> functions() {
    if constexpr (trains) {
      return {forward, backward, write_trace<Cell, T>};
    } else {
      return {forward, nullptr, nullptr};
    }
  }
  static constexpr CellFunctions<Shape, T> all = functions();
};

/// A worker's part of a forward pass, in a product format.
template <class Shape, class F, class T = typename F::Sum>
void run_forward(const CellFunctions<Shape, T>& cell, const ForwardContext<Shape, F>& context,
                 Span steps, Worker& worker) {
  auto body = [&](const CellForward<Shape, T>& epilogues) {
    ForwardPass<Shape, F>(context, epilogues, worker).run(steps);
  };
  cell.forward(
      context.epilogue(),
      [](void* run, const CellForward<Shape, T>& epilogues) {
        (*static_cast<decltype(body)*>(run))(epilogues);
      },
      &body);
}

/// The same; what it goes by is copied.
template <class Shape, class F, class T = typename F::Sum>
void run_forward(const CellFunctions<Shape, T>& cell, const ForwardCall<T>& call,
                 const ForwardWeights<Shape, F>& weights, const History<Shape, T>& history,
                 const ForwardWorkspace<Shape, F>& work, const PlanSegment& plan, Span steps,
                 Worker& worker) {
  const ForwardContext<Shape, F> context = {call, weights, history, work, plan};
  run_forward(cell, context, steps, worker);
}

/// Likewise of a backward pass: body(pass).
template <class Shape, class F, class T = typename F::Sum, class Body>
void run_backward(const CellFunctions<Shape, T>& cell, const BackwardCall<T>& call,
                  const History<Shape, T>& history, const BackwardWork<Shape, F>& work,
                  Worker& worker, Body&& body) {
  BackwardContext<Shape, T> context(call, history, work.rows);
  const ProductWorkspace<Shape, F> products = work.products;
  auto with = [&](const CellBackward<Shape, T>& epilogues) {
    BackwardPass<Shape, F> pass(context, products, epilogues, worker);
    body(pass);
  };
  cell.backward(
      call.activations,
      [](void* run, const CellBackward<Shape, T>& epilogues) {
        (*static_cast<decltype(with)*>(run))(epilogues);
      },
      &with);
}

}  // namespace
}  // namespace rnnfast
