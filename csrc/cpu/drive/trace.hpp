// What a saving forward pass has kept, in arrays that a person can read: the gates of every step,
// and the memory after it where the cell has one. (All h are y.)
#pragma once

#include "cpu/epilogue/layer_norm.hpp"
#include "cpu/layout/history.hpp"
#include "cpu/layout/states.hpp"
#include "cpu/plan/ownership.hpp"

namespace rnnfast {
namespace {

/// The part that holds a gate: the first one that the gate's weights feed.
template <class Shape>
constexpr int part_of_gate(int gate) {
  int part = 0;
  while (Shape::gate_of[part] != gate) ++part;
  return part;
}

/// Gates from what the history keeps of a group.
template <class Cell, class T>
inline void gates_of(const Cell& cell, const NormWeights<typename Cell::Shape, T>& norm,
                     index group, Vec<T> (&part)[Cell::parts], Vec<T> (&gate)[Cell::gates]) {
  if constexpr (Normalized<Cell>) {
    scale_and_shift<Range{0, Cell::parts}>(norm, group, part);
    cell.activate(part, gate);
  } else {
    for (int g = 0; g < Cell::gates; ++g) gate[g] = part[part_of_gate<Cell>(g)];
  }
}

/// Writes the steps that the sequences of a share of the private rows take.
template <class Cell, class T>
void write_trace(const History<typename Cell::Shape, T>& history, const TraceCall<T>& call,
                 const NormWeights<typename Cell::Shape, T>& norm, const Share& own) {
  using L = Layout<typename Cell::Shape, T>;
  const L& layout = history.layout;
  const Cell cell = {{}, decltype(Cell::act)(call.activations)};
  const Span rows = own.of(history.dims.rows);
  for (index r = rows.begin; r < rows.end; ++r) {
    const SequenceRow of = call.rows ? call.rows[r] : SequenceRow{r, r, 0, history.dims.steps};
    const index state_row = history.state_row(r) * layout.row();
    for (index step = 0; step < of.length; ++step) {
      const auto slots = history.slots_of(step);
      const index row = history.step_row(step) + history.gate_row(r);
      const index t = of.first + step;
      T* const gates =
          call.gates.data + t * call.gates.step_stride + of.sequence * call.gates.row_stride;
      own.worked(layout.slots(1));
      for (index group = 0; group < layout.groups(); ++group) {
        const auto slot = slots.group(row, group);
        const index valid = layout.valid(group);
        Vec<T> part[L::P];
        for (int p = 0; p < L::P; ++p) part[p] = load<T>(slot.part(p));
        Vec<T> gate[Cell::gates];
        gates_of<Cell, T>(cell, norm, group, part, gate);
        for (int g = 0; g < Cell::gates; ++g) {
          store_first(gates + g * layout.units + group * L::N, gate[g], valid);
        }
        if constexpr (Cell::has_memory) {
          const index at = state_row + group * L::N;
          const State<Vec<T>> prev = {{}, load(history.c_at(step) + at)};
          T* const c = call.c.data + t * call.c.step_stride + of.sequence * call.c.row_stride;
          store_first(c + group * L::N, Cell::memory(gate, prev), valid);
        }
      }
    }
  }
}

}  // namespace
}  // namespace rnnfast
