// What a pass through a sequence remembers: gates in their slots, and the private rows of h, c and
// the later phases' operands, h and c with the initial state as row 0 (so h_at(s) is the state
// before step s). The forward pass that serves a backward pass keeps all of it; the other only what
// the next step reads. Nothing here aliases an array of the caller.
#pragma once

#include "seq/layout.hpp"
#include "seq/plan.hpp"

namespace rnnfast {
namespace {

struct KeepAll {
  static constexpr bool gates = true;
  static index states(index steps) { return steps + 1; }
  static index state(index step) { return step; }
  static index chunks(index count) { return count; }
  static index chunk(index i) { return i; }
};

// Two states, since threads that own units read the one while they write the other.
struct KeepLatest {
  static constexpr bool gates = false;
  static index states(index) { return 2; }
  static index state(index step) { return step & 1; }
  static index chunks(index count) { return smaller(count, 1); }
  static index chunk(index) { return 0; }
};

template <class Cell, class T, class Keep>
struct History {
  using L = Layout<Cell, T>;
  Dims dims;
  index chunk_steps;
  // Rows of a chunk lie by blocks of sequences, one a worker where workers own rows: step after
  // step of one worker's, then the next one's. Interleaved, each step would touch cache lines
  // beside those that another core is writing, half a microsecond apart on some machines.
  index block_count;
  index block_rows;
  L layout;
  T* gates = nullptr;
  T* h = nullptr;                  // [states][B][row]
  T* c = nullptr;                  // [states][B][row]
  T* operands[Cell::phases] = {};  // [states][B][row], from the second phase on

  History(const Dims& dims, const PlanSegment& plan)
      : dims(dims),
        chunk_steps(plan.chunk_steps),
        block_count(plan.partition == Partition::rows ? plan.threads : 1),
        block_rows(ceil_div(dims.rows, block_count)),
        layout{dims.units} {}

  void place(Bump& bump) {
    const index states = Keep::states(dims.steps) * state_size();
    const index chunks = Keep::chunks(ceil_div(dims.steps, chunk_steps));
    gates = bump.take<T>(layout.slots(chunks * chunk_rows()));
    h = bump.take<T>(states);
    if (Cell::has_memory) c = bump.take<T>(states);
    for (int p = 1; p < Cell::phases; ++p) operands[p] = bump.take<T>(states);
  }

  index state_size() const { return dims.rows * layout.row(); }
  T* h_at(index step) const { return h + Keep::state(step) * state_size(); }
  T* c_at(index step) const { return c + Keep::state(step) * state_size(); }
  T* operand_at(int phase, index step) const {
    return operands[phase] + Keep::state(step) * state_size();
  }

  index chunk_begin(index step) const { return step / chunk_steps * chunk_steps; }
  index chunk_size(index begin) const { return smaller(chunk_steps, dims.steps - begin); }
  index chunk_rows() const { return chunk_steps * block_count * block_rows; }
  /// The slots of the chunk that holds a step; sequence b's is at step_row(step) + gate_row(b). All
  /// chunks are laid out alike, also a shorter last one: workers may be in different chunks.
  Slots<Cell, T> slots_of(index step) const {
    const index rows = chunk_rows();
    return {layout, gates + Keep::chunk(step / chunk_steps) * layout.slots(rows), rows};
  }
  index step_row(index step) const { return (step - chunk_begin(step)) * block_rows; }
  index gate_row(index b) const {
    return b / block_rows * block_rows * chunk_steps + b % block_rows;
  }
};

}  // namespace
}  // namespace rnnfast
