// What a pass through a sequence remembers: gates in their slots, and the private rows of h, c and
// the phases' operands (that of the first is h itself unless the call masks it, that of a
// projection what the cell has given), h and c with the initial state as row 0 (so h_at(s) is the
// state before step s). The forward pass that serves a backward pass keeps all of it; the other
// only what the next step reads. Either is of all steps, or of one stretch of them after the other
// (cpu/drive/checkpoints.hpp). Nothing here aliases an array of the caller.
#pragma once

#include "cpu/layout/layout.hpp"
#include "cpu/plan/row_blocks.hpp"

namespace rnnfast {
namespace {

enum class Keep {
  all,
  latest  // of states two, since threads that own units read the one while they write the other
};

template <class Shape, class T>
struct History {
  using L = Layout<Shape, T>;
  Dims dims;
  Span steps;  // that it is of, no more than there is room for
  index room;
  index chunk_steps;
  // Of gates and of states: step after step of one block's rows, then the next block's.
  RowBlocks blocks;
  L layout;
  RowLayout<T> outputs;  // of h
  T* gates = nullptr;
  T* scales = nullptr;              // [slots][scales] of layer normalization
  T* h = nullptr;                   // [blocks][states][block][row of h]
  T* c = nullptr;                   // [blocks][states][block][row]
  T* operands[Shape::phases] = {};  // as h
  T* m = nullptr;                   // as c; what a projection projects
  bool masks_operand;
  Keep keep;

  History(const Dims& dims, const PlanSegment& plan, Keep keep)
      : dims(dims),
        steps{0, plan.stretch_steps},
        room(plan.stretch_steps),
        chunk_steps(plan.chunk_steps),
        blocks(plan),
        layout{dims.units},
        outputs{outputs_of(dims)},
        masks_operand(plan.masks_operand),
        keep(keep),
        state_mask_(keep == Keep::all ? ~index{0} : 1) {}

  void place(Bump& bump) {
    const index states = state_rows();
    const index needed = ceil_div(room, chunk_steps);
    const index chunks = keep == Keep::all ? needed : smaller(needed, 1);
    gates = bump.take<T>(layout.slots(chunks * chunk_rows()));
    scales = bump.take<T>(chunks * chunk_rows() * rnnfast::scales<Shape>());
    h = bump.take<T>(states * outputs.row());
    if (Shape::has_memory) c = bump.take<T>(states * layout.row());
    operands[0] = masks_operand ? bump.take<T>(states * outputs.row()) : h;
    for (int p = 1; p < Shape::phases; ++p) operands[p] = bump.take<T>(states * outputs.row());
    if (dims.projection) m = bump.take<T>(states * layout.row());
  }

  /// Row 0 of a step's states; private row r is row number state_row(r) there.
  T* h_at(index step) const { return h + state_row_of(step) * outputs.row(); }
  T* c_at(index step) const {
    return Shape::has_memory ? c + state_row_of(step) * layout.row() : nullptr;
  }
  T* operand_at(int phase, index step) const {
    return operands[phase] + state_row_of(step) * outputs.row();
  }
  T* m_at(index step) const {
    return dims.projection ? m + state_row_of(step) * layout.row() : nullptr;
  }
  index state_row(index r) const { return blocks.row(r, state_stride()); }
  /// Where among all rows of states those of a step begin, and how many there are.
  index state_row_of(index step) const {
    return ((step - steps.begin) & state_mask_) * step_stride();
  }
  index state_rows() const { return blocks.count * state_stride(); }
  /// Rows from one kept state of a row to its next.
  index step_stride() const { return blocks.height; }

  /// The same memory, for other steps.
  History of(Span stretch) const {
    History other = *this;
    other.steps = stretch;
    return other;
  }

  /// Whether a chunk begins with a step, and how long it then is. Chunks count from the first step.
  bool begins_chunk(index step) const { return (step - steps.begin) % chunk_steps == 0; }
  index chunk_size(index begin) const { return smaller(chunk_steps, steps.end - begin); }
  index chunk_rows() const { return chunk_steps * blocks.count * blocks.height; }
  /// The slots of the chunk that holds a step; row r's is at step_row(step) + gate_row(r). All
  /// chunks are laid out alike, also a shorter last one: workers may be in different chunks.
  Slots<Shape, T> slots_of(index step) const {
    const index rows = chunk_rows();
    const index chunk = chunk_of(step);
    return {layout, gates + chunk * layout.slots(rows), rows};
  }
  /// The scales of a step's row 0; row r's are gate_row(r) times as many on as there are.
  T* scales_of(index step) const {
    const index chunk = chunk_of(step);
    return scales + (chunk * chunk_rows() + step_row(step)) * rnnfast::scales<Shape>();
  }
  index step_row(index step) const { return (step - steps.begin) % chunk_steps * blocks.height; }
  index gate_row(index r) const { return blocks.row(r, blocks.height * chunk_steps); }

 private:
  index chunk_of(index step) const {
    return keep == Keep::all ? (step - steps.begin) / chunk_steps : 0;
  }
  index state_stride() const {
    const index shortest = smaller(layout.row(), outputs.row());
    const std::size_t row_bytes = static_cast<std::size_t>(shortest) * sizeof(T);
    const index states = keep == Keep::all ? room + 1 : 2;
    return states * step_stride() + blocks.gap(row_bytes);
  }

  index state_mask_;
};

}  // namespace
}  // namespace rnnfast
