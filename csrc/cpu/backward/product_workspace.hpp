// What the products of a backward pass work with: packed weights, deltas in the format of A, and
// the sums of the weight gradients.
#pragma once

#include "cpu/backward/context.hpp"
#include "cpu/backward/gradient_sums.hpp"
#include "cpu/layout/delta_weights.hpp"

namespace rnnfast {
namespace {

template <class Shape, class F>
struct ProductWorkspace {
  using T = typename F::Sum;
  using A = typename F::A;
  using L = Layout<Shape, T>;

  L layout;
  Layout<Linear, T> outputs;  // of h
  index chunk_rows;
  int shares;
  bool by_sequence;
  bool projects;
  DeltaWeights<Shape, F> input_weights;
  DeltaWeights<Shape, F> recurrent_weights[Shape::phases];
  DeltaWeights<Linear, F> projection_weights;
  A* deltas = nullptr;     // the slots of a chunk, where they are not operands as they are
  A* d_outputs = nullptr;  // likewise
  GradientSums<Shape, F> sums;
  char* sums_of_shares = nullptr;  // [shares], if by sequence

  ProductWorkspace(const BackwardCall<T>& call, const BackwardWorkspace<Shape, T>& work)
      : layout(work.layout),
        outputs{work.outputs},
        chunk_rows(work.chunk_rows),
        shares(work.shares),
        by_sequence(work.by_sequence),
        projects(call.dims.projection),
        input_weights{layout, Shape::input, call.dims.inputs},
        sums(call, layout, by_sequence ? call.dims.steps : work.plan.block_steps * call.dims.rows,
             by_sequence ? 1 : shares) {
    for (int p = 0; p < Shape::phases; ++p) {
      recurrent_weights[p] = {layout, Shape::phase[p], outputs.units};
    }
    if (projects) projection_weights = {outputs, Linear::phase[0], call.dims.units};
  }

  void place(Bump& bump) {
    input_weights.place(bump);
    for (auto& weights : recurrent_weights) weights.place(bump);
    if (projects) projection_weights.place(bump);
    if constexpr (rounds_operands<F>) {
      deltas = bump.take<A>(layout.slots(chunk_rows) / F::group);
      if (projects) d_outputs = bump.take<A>(outputs.slots(chunk_rows) / F::group);
    }
    if (by_sequence) {
      sums_of_shares = bump.take<char>(shares * bytes_of_sums());
    } else {
      sums.place(bump);
    }
  }

  /// A share's own sums, if by sequence.
  GradientSums<Shape, F> sums_of(const Share& own) const {
    GradientSums<Shape, F> found = sums;
    place_in(sums_of_shares + own.id * bytes_of_sums(), found);
    return found;
  }

  /// Slots of a chunk's deltas, and of its dL/dh, as operands.
  OperandSlots<Shape, F> operands(const Slots<Shape, T>& of) const {
    if constexpr (!rounds_operands<F>)
      return {of.layout, of.base, of.rows};
    else
      return {of.layout, deltas, of.rows};
  }
  OperandSlots<Linear, F> output_operands(const Slots<Linear, T>& of) const {
    if constexpr (!rounds_operands<F>)
      return {of.layout, of.base, of.rows};
    else
      return {of.layout, d_outputs, of.rows};
  }

 private:
  index bytes_of_sums() const {
    GradientSums<Shape, F> unplaced = sums;
    return static_cast<index>(measure(unplaced));
  }
};

/// All that a backward pass works with.
template <class Shape, class F>
struct BackwardWork {
  using T = typename F::Sum;
  BackwardWorkspace<Shape, T> rows;
  ProductWorkspace<Shape, F> products;

  BackwardWork(const BackwardCall<T>& call, const PlanSegment& plan)
      : rows(call, plan), products(call, rows) {}

  void place(Bump& bump) {
    rows.place(bump);
    products.place(bump);
  }
};

}  // namespace
}  // namespace rnnfast
