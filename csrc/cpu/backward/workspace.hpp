// What a backward pass works with beside its products: gradients of the states at hand, the deltas
// of a chunk and where their rows belong.
#pragma once

#include "call/passes.hpp"
#include "cells/linear.hpp"
#include "cpu/layout/history.hpp"
#include "cpu/layout/norm_weights.hpp"
#include "cpu/layout/unit_weights.hpp"

namespace rnnfast {
namespace {

template <class Shape, class T>
struct BackwardWorkspace {
  using L = Layout<Shape, T>;
  static constexpr index dx_rows = 128;
  static constexpr index dx_lanes = widest_tile(1) * L::N;  // of a block of outputs

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
  index* places = nullptr;            // [B] of theirs among the rows of a step
  index* d_rows = nullptr;            // [B] where they lie in dh
  index* gate_rows = nullptr;         // [B] in the history
  index* state_rows = nullptr;        // [B] in the history
  index* active = nullptr;            // [T] how many sequences take part in a step
  index* x_offsets = nullptr;         // [chunk_rows] of x, then of dx
  index* dx_offsets = nullptr;        // [chunk_rows]
  index* state_numbers = nullptr;     // [chunk_rows] rows of h_prev in the history
  T* new_c = nullptr;                 // [chunk_rows][row], if weights of units meet it
  NormWeights<Shape, T> norm;
  index* rows_by_rank = nullptr;                 // [B] private rows
  SlotRow<Shape, T>* normalized_rows = nullptr;  // [chunk_rows] v^ in the history
  UnitWeights<Shape, T> of_units;
  bool by_sequence;  // whether each has gradients of its own: a chunk then has all steps

  BackwardWorkspace(const BackwardCall<T>& call, const PlanSegment& given)
      : dims(call.dims),
        layout{call.dims.units},
        outputs{outputs_of(call.dims)},
        plan(call.out.of_sequences ? in_one_chunk(given, call.dims) : given),
        chunk_rows(smaller(plan.delta_chunk_steps, call.dims.steps) * call.dims.rows),
        shares(plan.threads),
        blocks(plan),
        norm{layout},
        of_units{layout, nullptr},
        by_sequence(call.out.of_sequences) {}

  void place(Bump& bump) {
    const index states = blocks.count * block_stride();
    dh = bump.take<T>(states * outputs.row());
    if (Shape::has_memory) dc = bump.take<T>(states * layout.row());
    d_operands[0] = plan.masks_operand ? bump.take<T>(states * outputs.row()) : dh;
    for (int p = 1; p < Shape::phases; ++p) d_operands[p] = bump.take<T>(states * outputs.row());
    deltas = bump.take<T>(layout.slots(chunk_rows));
    zeros = bump.take<T>(zeros_size());
    dx = bump.take<T>(shares * dx_rows * dx_lanes);
    numbers = bump.take<index>(numbers_size());
    sequences = bump.take<SequenceRow>(dims.rows);
    places = bump.take<index>(dims.rows);
    d_rows = bump.take<index>(dims.rows);
    gate_rows = bump.take<index>(dims.rows);
    state_rows = bump.take<index>(dims.rows);
    active = bump.take<index>(dims.steps);
    x_offsets = bump.take<index>(chunk_rows);
    dx_offsets = bump.take<index>(chunk_rows);
    state_numbers = bump.take<index>(chunk_rows);
    if (unit_weights_of<Shape>()) new_c = bump.take<T>(chunk_rows * layout.row());
    of_units.place(bump);
    if constexpr (Normalized<Shape>) {
      norm.place(bump);
      rows_by_rank = bump.take<index>(dims.rows);
      normalized_rows = bump.take<SlotRow<Shape, T>>(chunk_rows);
    }
    if (dims.projection) {
      dm = bump.take<T>(states * layout.row());
      d_outputs = bump.take<T>(d_output_slots(0).layout.slots(chunk_rows));
    }
  }

  index numbers_size() const {
    return unit_weights_of<Shape>() ? larger(dx_rows, chunk_rows) : index{dx_rows};
  }
  index zeros_size() const { return larger(larger(layout.row(), outputs.row()), dx_lanes); }

  /// Rows of deltas that a chunk has.
  index rows_of(Span steps) const {
    index rows = 0;
    for (index step = steps.begin; step < steps.end; ++step) rows += active[step];
    return rows;
  }

  /// How many rows of a chunk precede those of a step, after which it has these.
  index first_row(Span later) const { return by_sequence ? later.size() : rows_of(later); }

  /// The slots of a chunk's rows of dL/dh.
  Slots<Linear, T> d_output_slots(index rows) const { return {{outputs}, d_outputs, rows}; }

  index d_row(index r) const { return blocks.row(r, block_stride()); }

 private:
  static PlanSegment in_one_chunk(PlanSegment plan, const Dims& dims) {
    plan.delta_chunk_steps = dims.steps;
    return plan;
  }
  index block_stride() const {
    const index shortest = smaller(layout.row(), outputs.row());
    return blocks.height + blocks.gap(static_cast<std::size_t>(shortest) * sizeof(T));
  }
};

}  // namespace
}  // namespace rnnfast
