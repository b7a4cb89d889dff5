// The forward pass, for all cells, scalar types and instruction sets:
//
//   for each chunk of steps:  slots = bias + x W_ih^T             one product over (step, row)
//     for each step and phase: slots += operand W_hh^T            one product over rows
//                              gates, h, c = the cell's forward    while a row tile is in L1
//
// h is handed on in private padded rows, never through y. Odd steps walk the panels backwards, so
// that the end of R that one step leaves in the cache is what the next one starts with.
#pragma once

#include "seq/calls.hpp"
#include "seq/history.hpp"
#include "seq/ownership.hpp"
#include "seq/weights.hpp"

namespace rnnfast {
namespace {

/// What the workers share, beside weights and history.
template <class T>
struct ForwardWorkspace {
  index rows;  // B
  index chunk_rows;
  int workers;
  index* state_rows = nullptr;    // [B] of the history
  index* gate_rows = nullptr;     // [B] of the history
  index* x_offsets = nullptr;     // [workers][chunk_rows]
  index* slot_numbers = nullptr;  // [workers][chunk_rows]

  void place(Bump& bump) {
    state_rows = bump.take<index>(rows);
    gate_rows = bump.take<index>(rows);
    x_offsets = bump.take<index>(workers * chunk_rows);
    slot_numbers = bump.take<index>(workers * chunk_rows);
  }
};

template <class Cell, class T, class Keep>
class ForwardPass {
  using L = Layout<Cell, T>;
  using V = Vec<T>;

 public:
  ForwardPass(const ForwardCall<T>& call, const ForwardWeights<Cell, T>& weights,
              const History<Cell, T, Keep>& history, const ForwardWorkspace<T>& workspace,
              Partition partition, Worker& worker)
      : call_(call),
        weights_(weights),
        history_(history),
        layout_(history.layout),
        worker_(worker),
        own_(ownership(layout_, call.dims.rows, partition, worker)),
        state_rows_(workspace.state_rows),
        gate_rows_(workspace.gate_rows),
        x_offsets_(workspace.x_offsets + worker.id * workspace.chunk_rows),
        slot_numbers_(workspace.slot_numbers + worker.id * workspace.chunk_rows) {}

  void run() {
    const index steps = call_.dims.steps;
    const Span rows = share(call_.dims.rows, worker_.id, worker_.count);
    for (index b = rows.begin; b < rows.end; ++b) {
      state_rows_[b] = history_.state_row(b);
      gate_rows_[b] = history_.gate_row(b);
    }
    read_state(call_.initial.h, layout_, rows, state_rows_, history_.h_at(0));
    if (Cell::has_memory) read_state(call_.initial.c, layout_, rows, state_rows_, history_.c_at(0));
    worker_.meet();
    for (index step = 0; step < steps; ++step) {
      if (step % history_.chunk_steps == 0) input_product(step);
      phase<0>(step);
    }
    worker_.meet();
    write_state(history_.h_at(steps), layout_, rows, state_rows_, call_.last.h);
    if (Cell::has_memory)
      write_state(history_.c_at(steps), layout_, rows, state_rows_, call_.last.c);
  }

 private:
  // Rows of x that stay in L2 while all panels of W_ih pass over them.
  static constexpr index x_block_elements = 96 * 1024;

  void input_product(index begin) {
    const Slots<Cell, T> slots = history_.slots_of(begin);
    const index count = list_own_rows(begin, history_.chunk_size(begin));
    const index block = larger(largest_tile_rows, x_block_elements / call_.dims.inputs);
    for (index first = 0; first < count; first += block) {
      for (index panel = own_.panels.begin; panel < own_.panels.end; ++panel) {
        input_panel(slots, panel, {first, smaller(first + block, count)});
      }
    }
  }

  /// The offsets in x and the slots of this worker's rows of a chunk; returns their count.
  index list_own_rows(index begin, index steps) {
    index count = 0;
    for (index step = 0; step < steps; ++step) {
      for (index b = own_.rows.begin; b < own_.rows.end; ++b, ++count) {
        x_offsets_[count] = (begin + step) * call_.x.step_stride + b * call_.x.row_stride;
        slot_numbers_[count] = history_.step_row(begin + step) + gate_rows_[b];
      }
    }
    return count;
  }

  void input_panel(const Slots<Cell, T>& slots, index panel, Span rows) {
    const index group = layout_.width(panel) * L::N;
    const index vectors = Cell::input.count() * layout_.width(panel);
    const T* bias = weights_.bias_panel(panel);
    const Rows<T> c = {slots.panel(panel), slot_numbers_ + rows.begin, layout_.slot(panel)};
    const auto start_other_parts = [&](index row, index count) {
      for (index i = row; i < row + count; ++i) {
        copy_vectors(bias, c.at(i), {0, Cell::input.begin * group});
        copy_vectors(bias, c.at(i), {Cell::input.end * group, Cell::parts * group});
      }
    };
    multiply<T>(Dense<T>{{call_.x.data, x_offsets_ + rows.begin, 1}, call_.dims.inputs},
                weights_.input_panel(panel), vectors * L::N, vectors,
                {bias + Cell::input.begin * group, c.offset, 0},
                {c.base + Cell::input.begin * group, c.offset, c.stride}, rows.size(),
                start_other_parts);
  }

  static void copy_vectors(const T* from, T* to, Span elements) {
    for (index i = elements.begin; i < elements.end; i += L::N) store(to + i, load(from + i));
  }

  template <int Phase>
  void phase(index step) {
    const T* operand = Phase == 0 ? history_.h_at(step) : history_.operand_at(Phase, step);
    const Slots<Cell, T> slots = history_.slots_of(step);
    for (index i = 0; i < own_.panels.size(); ++i) {
      const index panel = step % 2 ? own_.panels.end - 1 - i : own_.panels.begin + i;
      recurrent_panel<Phase>(step, slots, panel, operand);
    }
    if (own_.meets) worker_.meet();
    if constexpr (Phase + 1 < Cell::phases) phase<Phase + 1>(step);
  }

  template <int Phase>
  void recurrent_panel(index step, const Slots<Cell, T>& slots, index panel, const T* operand) {
    constexpr Range range = Cell::phase[Phase];
    const index width = layout_.width(panel);
    const index vectors = range.count() * width;
    const index slot = layout_.slot(panel);
    T* const first = slots.panel(panel) + history_.step_row(step) * slot;
    const index* operand_rows = state_rows_ + own_.rows.begin;
    const Rows<T> c = {first + range.begin * width * L::N, gate_rows_ + own_.rows.begin, slot};
    multiply<T>(Dense<T>{{operand, operand_rows, layout_.row()}, call_.dims.units},
                weights_.recurrent_panel(Phase, panel), vectors * L::N, vectors,
                {c.base, c.offset, c.stride}, c, own_.rows.size(), [&](index row, index count) {
                  for (index b = own_.rows.begin + row; count > 0; ++b, --count) {
                    for (index u = 0; u < width; ++u) {
                      T* const gates = first + gate_rows_[b] * slot + u * L::N;
                      epilogue<Phase>(step, b, panel * L::U + u, gates, width * L::N);
                    }
                  }
                });
  }

  template <int Phase>
  void epilogue(index step, index b, index group, T* slot, index part_stride) {
    const index at = state_rows_[b] * layout_.row() + group * L::N;
    V gate[L::P];
    for (int p = 0; p < L::P; ++p) gate[p] = load(slot + p * part_stride);
    State<V> state = {load(history_.h_at(step) + at), V{}};
    if constexpr (Phase + 1 < Cell::phases) {
      store(history_.operand_at(Phase + 1, step) + at, Cell::template stage<Phase>(gate, state.h));
      for (int p = Cell::phase[Phase].begin; p < Cell::phase[Phase].end; ++p) {
        store(slot + p * part_stride, gate[p]);
      }
    } else {
      if constexpr (Cell::has_memory) state.c = load(history_.c_at(step) + at);
      state = Cell::forward(gate, state);
      if constexpr (Keep::gates) {
        for (int p = 0; p < L::P; ++p) store(slot + p * part_stride, gate[p]);
      }
      store(history_.h_at(step + 1) + at, state.h);
      if constexpr (Cell::has_memory) store(history_.c_at(step + 1) + at, state.c);
      T* const y = call_.y.data + step * call_.y.step_stride + b * call_.y.row_stride;
      const index valid = layout_.valid(group);
      valid == L::N ? store(y + group * L::N, state.h)
                    : store_first(y + group * L::N, state.h, valid);
    }
  }

  // Copies, not references: in the caller's stack frame they may share cache lines with what the
  // calling thread writes all the time.
  const ForwardCall<T> call_;
  const ForwardWeights<Cell, T> weights_;
  const History<Cell, T, Keep> history_;
  const L layout_;
  Worker& worker_;
  const Ownership own_;
  index* const state_rows_;
  index* const gate_rows_;
  index* const x_offsets_;
  index* const slot_numbers_;
};

}  // namespace
}  // namespace rnnfast
