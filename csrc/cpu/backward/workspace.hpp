// What a backward pass works with: gradients of the states at hand, the deltas of a chunk
// and where their rows belong, packed weights, and the sums of the weight gradients.
#pragma once

#include "call/passes.hpp"
#include "cpu/backward/norm_gradients.hpp"
#include "cpu/backward/unit_gradients.hpp"
#include "cpu/backward/weight_gradients.hpp"
#include "cpu/layout/delta_weights.hpp"
#include "cpu/layout/forward_weights.hpp"
#include "cpu/layout/history.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
struct BackwardWorkspace {
  using L = Layout<Shape, T>;
  static constexpr index dx_rows = 128;

  Dims dims;
  L layout;
  RowLayout<T> outputs;  // of h
  PlanSegment plan;
  index chunk_rows;
  int shares;
  RowBlocks blocks;                   // of the three rows that follow
  T* dh = nullptr;                    // [blocks][block][row of h]  dL/dh of the step at hand
  T* dc = nullptr;                    // [blocks][block][row]
  T* d_operands[Shape::phases] = {};  // as dh, of the phases' operands; the first may be dh
  T* dm = nullptr;                    // as dc, of what a projection projects
  T* d_outputs = nullptr;             // the slots of a chunk: what dm is made from
  T* deltas = nullptr;                // the slots of a chunk
  T* zeros = nullptr;                 // [row]
  T* dx = nullptr;                    // [shares][dx_rows] [block of outputs]
  index* numbers = nullptr;           // 0, 1, 2, ...
  SequenceRow* sequences = nullptr;   // [B] of private rows
  index* ranks = nullptr;             // [B] theirs
  index* d_rows = nullptr;            // [B] where they lie in dh
  index* gate_rows = nullptr;         // [B] in the history
  index* state_rows = nullptr;        // [B] in the history
  index* active = nullptr;            // [T] how many sequences take part in a step
  index* x_offsets = nullptr;         // [chunk_rows] of x, then of dx
  index* dx_offsets = nullptr;        // [chunk_rows]
  index* state_numbers = nullptr;     // [chunk_rows] rows of h_prev in the history
  T* new_c = nullptr;                 // [chunk_rows][row], if weights of units meet it
  DeltaWeights<Shape, T> input_weights;
  DeltaWeights<Shape, T> recurrent_weights[Shape::phases];
  WeightGradient<Shape, T> input_gradient;
  WeightGradient<Shape, T> recurrent_gradients[Shape::phases];
  DeltaWeights<Linear, T> projection_weights;
  WeightGradient<Linear, T> projection_gradient;
  NormWeights<Shape, T> norm;
  NormGradients<Shape, T> norm_gradients;
  index* rows_by_rank = nullptr;                 // [B] private rows
  SlotRow<Shape, T>* normalized_rows = nullptr;  // [chunk_rows] v^ in the history
  UnitWeights<Shape, T> of_units;
  UnitGradients<Shape, T> unit_gradients;

  BackwardWorkspace(const BackwardCall<T>& call, const PlanSegment& plan)
      : BackwardWorkspace(call, plan, plan.block_steps * call.dims.rows) {}

  void place(Bump& bump) {
    const index states = blocks.count * block_stride();
    dh = bump.take<T>(states * outputs.row());
    if (Shape::has_memory) dc = bump.take<T>(states * layout.row());
    d_operands[0] = plan.masks_operand ? bump.take<T>(states * outputs.row()) : dh;
    for (int p = 1; p < Shape::phases; ++p) d_operands[p] = bump.take<T>(states * outputs.row());
    deltas = bump.take<T>(layout.slots(chunk_rows));
    zeros = bump.take<T>(zeros_size());
    dx = bump.take<T>(shares * dx_rows * DeltaWeights<Shape, T>::block_lanes);
    numbers = bump.take<index>(numbers_size());
    sequences = bump.take<SequenceRow>(dims.rows);
    ranks = bump.take<index>(dims.rows);
    d_rows = bump.take<index>(dims.rows);
    gate_rows = bump.take<index>(dims.rows);
    state_rows = bump.take<index>(dims.rows);
    active = bump.take<index>(dims.steps);
    x_offsets = bump.take<index>(chunk_rows);
    dx_offsets = bump.take<index>(chunk_rows);
    state_numbers = bump.take<index>(chunk_rows);
    if (unit_weights_of<Shape>()) new_c = bump.take<T>(chunk_rows * layout.row());
    of_units.place(bump);
    unit_gradients.place(bump);
    input_weights.place(bump);
    input_gradient.place(bump);
    for (int p = 0; p < Shape::phases; ++p) {
      recurrent_weights[p].place(bump);
      recurrent_gradients[p].place(bump);
    }
    if constexpr (Normalized<Shape>) {
      norm.place(bump);
      norm_gradients.place(bump);
      rows_by_rank = bump.take<index>(dims.rows);
      normalized_rows = bump.take<SlotRow<Shape, T>>(chunk_rows);
    }
    if (dims.projection) {
      dm = bump.take<T>(states * layout.row());
      d_outputs = bump.take<T>(projection_weights.layout.slots(chunk_rows));
      projection_weights.place(bump);
      projection_gradient.place(bump);
    }
  }

  index numbers_size() const {
    return unit_weights_of<Shape>() ? larger(dx_rows, chunk_rows) : index{dx_rows};
  }
  index zeros_size() const {
    return larger(larger(layout.row(), outputs.row()), DeltaWeights<Shape, T>::block_lanes);
  }

  /// Rows of deltas that a chunk has.
  index rows_of(Span steps) const {
    index rows = 0;
    for (index step = steps.begin; step < steps.end; ++step) rows += active[step];
    return rows;
  }

  /// The slots of a chunk's rows of dL/dh.
  Slots<Linear, T> d_output_slots(index rows) const {
    return {projection_weights.layout, d_outputs, rows};
  }

  index d_row(index r) const { return blocks.row(r, block_stride()); }

 private:
  index block_stride() const {
    const index shortest = smaller(layout.row(), outputs.row());
    return blocks.height + blocks.gap(static_cast<std::size_t>(shortest) * sizeof(T));
  }

  BackwardWorkspace(const BackwardCall<T>& call, const PlanSegment& plan, index block)
      : dims(call.dims),
        layout{call.dims.units},
        outputs{outputs_of(call.dims)},
        plan(plan),
        chunk_rows(smaller(plan.delta_chunk_steps, call.dims.steps) * call.dims.rows),
        shares(plan.threads),
        blocks(plan),
        input_weights{layout, Shape::input, call.dims.inputs},
        input_gradient(layout, Shape::input, call.dims.inputs, block,
                       call.out.weights[WeightId::w_ih] ||
                           (call.out.weights[WeightId::b_ih] && !Normalized<Shape>)),
        norm{layout},
        norm_gradients(layout, call.out.weights),
        of_units{layout, nullptr},
        unit_gradients(layout, call.out.weights[WeightId::of_units]) {
    const bool wanted = call.out.weights[WeightId::w_hh] ||
                        (call.out.weights[WeightId::b_hh] && !Normalized<Shape>);
    for (int p = 0; p < Shape::phases; ++p) {
      recurrent_weights[p] = {layout, Shape::phase[p], outputs.units};
      recurrent_gradients[p] = {layout, Shape::phase[p], outputs.units, block, wanted};
    }
    if (dims.projection) {
      const Layout<Linear, T> of_h = {outputs};
      projection_weights = {of_h, Linear::phase[0], dims.units};
      projection_gradient = {of_h, Linear::phase[0], dims.units, block,
                             call.out.weights[WeightId::w_hr] != nullptr};
    }
  }
};

}  // namespace
}  // namespace rnnfast
