// The backward pass: the forward pass in reverse.
//
//   for each chunk of steps, from the last:
//     for each step, from the last:
//       delta = the cell's backward of (dh + dy, dc)         while the tile of dh is in L1
//       dh    = direct share + delta W_hh                    one product a phase
//     dx      = delta W_ih                                   one product over (step, row)
//     dW_ih  += delta^T x,  dW_hh += delta^T h_prev          K = rows of the chunk
//
// Row l B + b of a chunk's deltas is sequence b at the chunk's last step minus l, the order in
// which weight gradients are summed.
#pragma once

#include "seq/calls.hpp"
#include "seq/history.hpp"
#include "seq/ownership.hpp"
#include "seq/weight_gradients.hpp"
#include "seq/weights.hpp"

namespace rnnfast {
namespace {

template <class Cell, class T>
struct BackwardWorkspace {
  using L = Layout<Cell, T>;
  static constexpr index dx_rows = 128;

  Dims dims;
  L layout;
  PlanSegment plan;
  index chunk_rows;
  int workers;
  RowBlocks blocks;                // of the three rows that follow
  T* dh = nullptr;                 // [blocks][block][row]  dL/dh of the step at hand
  T* dc = nullptr;                 // the same
  T* d_operand = nullptr;          // the same, of a later phase's operand
  T* deltas = nullptr;             // the slots of a chunk
  T* zeros = nullptr;              // [row]
  T* dx = nullptr;                 // [workers][dx_rows][block of outputs]
  index* numbers = nullptr;        // [chunk_rows] 0, 1, 2, ...
  index* d_rows = nullptr;         // [B] of dh
  index* gate_rows = nullptr;      // [B] of the history
  index* state_rows = nullptr;     // [B] of the history
  index* x_offsets = nullptr;      // [chunk_rows] of x, then of dx
  index* dx_offsets = nullptr;     // [chunk_rows]
  index* state_numbers = nullptr;  // [chunk_rows] rows of h_prev in the history
  DeltaWeights<Cell, T> input_weights;
  DeltaWeights<Cell, T> recurrent_weights[Cell::phases];
  WeightGradient<Cell, T> input_gradient;
  WeightGradient<Cell, T> recurrent_gradients[Cell::phases];

  BackwardWorkspace(const BackwardCall<T>& call, const PlanSegment& plan)
      : BackwardWorkspace(call, plan, plan.block_steps * call.dims.rows) {}

  void place(Bump& bump) {
    const index states = blocks.workers * block_stride() * layout.row();
    dh = bump.take<T>(states);
    if (Cell::has_memory) dc = bump.take<T>(states);
    if (Cell::phases > 1) d_operand = bump.take<T>(states);
    deltas = bump.take<T>(layout.slots(chunk_rows));
    zeros = bump.take<T>(larger(layout.row(), DeltaWeights<Cell, T>::block_lanes));
    dx = bump.take<T>(workers * dx_rows * DeltaWeights<Cell, T>::block_lanes);
    numbers = bump.take<index>(larger(chunk_rows, dx_rows));
    d_rows = bump.take<index>(dims.rows);
    gate_rows = bump.take<index>(dims.rows);
    state_rows = bump.take<index>(dims.rows);
    x_offsets = bump.take<index>(chunk_rows);
    dx_offsets = bump.take<index>(chunk_rows);
    state_numbers = bump.take<index>(chunk_rows);
    input_weights.place(bump);
    input_gradient.place(bump);
    for (int p = 0; p < Cell::phases; ++p) {
      recurrent_weights[p].place(bump);
      recurrent_gradients[p].place(bump);
    }
  }

  index d_row(index b) const { return blocks.row(b, block_stride()); }

 private:
  index block_stride() const {
    return blocks.height + blocks.gap(static_cast<std::size_t>(layout.row()) * sizeof(T));
  }

  BackwardWorkspace(const BackwardCall<T>& call, const PlanSegment& plan, index block)
      : dims(call.dims),
        layout{call.dims.units},
        plan(plan),
        chunk_rows(smaller(plan.delta_chunk_steps, call.dims.steps) * call.dims.rows),
        workers(plan.threads),
        blocks(plan),
        input_weights{layout, Cell::input, call.dims.inputs},
        input_gradient(layout, Cell::input, call.dims.inputs, block,
                       call.out.w_ih || call.out.b_ih) {
    const bool wanted = call.out.w_hh || call.out.b_hh;
    for (int p = 0; p < Cell::phases; ++p) {
      recurrent_weights[p] = {layout, Cell::phase[p], dims.units};
      recurrent_gradients[p] = {layout, Cell::phase[p], dims.units, block, wanted};
    }
  }
};

template <class Cell, class T>
class BackwardPass {
  using L = Layout<Cell, T>;
  using V = Vec<T>;
  using Work = BackwardWorkspace<Cell, T>;

 public:
  BackwardPass(const BackwardCall<T>& call, const History<Cell, T, KeepAll>& history,
               const Work& work, Worker& worker)
      : call_(call),
        history_(history),
        work_(work),
        layout_(work.layout),
        worker_(worker),
        own_(ownership(layout_, call.dims.rows, work.plan.partition, worker)),
        dy_(call.dy.data ? call.dy : Sequence<const T>{work.zeros, 0, 0}) {}

  void run() {
    prepare();
    worker_.meet();
    for (index end = call_.dims.steps; end > 0;) {
      const index begin = larger(0, end - work_.plan.delta_chunk_steps);
      chunk({begin, end});
      end = begin;
    }
    worker_.meet();
    finish();
  }

 private:
  void prepare() {
    const Span rows = share(call_.dims.rows, worker_.id, worker_.count);
    for (index b = rows.begin; b < rows.end; ++b) {
      work_.d_rows[b] = work_.d_row(b);
      work_.gate_rows[b] = history_.gate_row(b);
      work_.state_rows[b] = history_.state_row(b);
    }
    read_state(call_.d_last.h, layout_, rows, work_.d_rows, work_.dh);
    if (Cell::has_memory) read_state(call_.d_last.c, layout_, rows, work_.d_rows, work_.dc);
    if (worker_.id == 0) {
      count_up(work_.numbers, larger(work_.chunk_rows, Work::dx_rows));
      const index zeros = larger(layout_.row(), DeltaWeights<Cell, T>::block_lanes);
      __builtin_memset(work_.zeros, 0, static_cast<std::size_t>(zeros) * sizeof(T));
    }
    if (call_.out.x.data) work_.input_weights.pack(call_.weights.w_ih, worker_);
    for (int p = 0; p < Cell::phases; ++p) {
      work_.recurrent_weights[p].pack(call_.weights.w_hh, worker_);
    }
    if (call_.dims.steps * call_.dims.rows > 0) return;
    for_each_gradient([](WeightGradient<Cell, T>& gradient, Span strips, const T*, const index*,
                         index) { gradient.clear(strips); });
  }

  void finish() {
    const Span rows = share(call_.dims.rows, worker_.id, worker_.count);
    write_state(work_.dh, layout_, rows, work_.d_rows, call_.out.h0);
    if (Cell::has_memory) write_state(work_.dc, layout_, rows, work_.d_rows, call_.out.c0);
    work_.input_gradient.unpack(call_.out.w_ih, call_.out.b_ih, worker_);
    for (int p = 0; p < Cell::phases; ++p) {
      work_.recurrent_gradients[p].unpack(call_.out.w_hh, call_.out.b_hh, worker_);
    }
  }

  void chunk(Span steps) {
    const index rows = steps.size() * call_.dims.rows;
    const Slots<Cell, T> deltas = {layout_, work_.deltas, rows};
    list_rows(steps);
    cell_backward(deltas, steps.end - 1, 0, own_.rows, own_.groups);
    for (index step = steps.end - 1; step >= steps.begin; --step) {
      const index row = (steps.end - 1 - step) * call_.dims.rows;
      phase<Cell::phases - 1>(deltas, step, row, step > steps.begin);
    }
    worker_.meet();
    if (call_.out.x.data) input_product(deltas);
    weight_gradients(deltas);
    worker_.meet();
  }

  /// Where this chunk's rows lie in x, dx and the history.
  void list_rows(Span steps) {
    const index B = call_.dims.rows;
    const Span own = share(steps.size(), worker_.id, worker_.count);
    for (index l = own.begin; l < own.end; ++l) {
      const index step = steps.end - 1 - l;
      for (index b = 0; b < B; ++b) {
        const index row = l * B + b;
        work_.x_offsets[row] = step * call_.x.step_stride + b * call_.x.row_stride;
        work_.dx_offsets[row] = step * call_.out.x.step_stride + b * call_.out.x.row_stride;
        work_.state_numbers[row] = step * history_.step_stride() + work_.state_rows[b];
      }
    }
  }

  /// Deltas of one step from dL/dh and dL/dc after it; leaves there what reaches the step before
  /// without passing a weight.
  void cell_backward(const Slots<Cell, T>& deltas, index step, index first_row, Span rows,
                     Span groups) {
    const Slots<Cell, T> gates = history_.slots_of(step);
    const index gates_row = history_.step_row(step);
    for (index b = rows.begin; b < rows.end; ++b) {
      const T* dy = dy_.data + step * dy_.step_stride + b * dy_.row_stride;
      for (index group = groups.begin; group < groups.end; ++group) {
        const index at = work_.state_rows[b] * layout_.row() + group * L::N;
        const index d_at = work_.d_rows[b] * layout_.row() + group * L::N;
        const index valid = layout_.valid(group);
        const T* const dy_group = dy + group * L::N;
        V gate[L::P];
        const auto slot = gates.group(gates_row + work_.gate_rows[b], group);
        for (int p = 0; p < L::P; ++p) gate[p] = load<T>(slot.part(p));
        State<V> prev = {load(history_.h_at(step) + at), V{}};
        State<V> d = {load(work_.dh + d_at), V{}};
        if constexpr (Cell::has_memory) {
          prev.c = load(history_.c_at(step) + at);
          d.c = load(work_.dc + d_at);
        }
        d.h = d.h + (valid == L::N ? load(dy_group) : load_first(dy_group, valid));
        V delta[L::P];
        Cell::backward(gate, prev, d, delta);
        store_deltas(deltas.group(first_row + b, group), {0, L::P}, delta, valid);
        store(work_.dh + d_at, d.h);
        if constexpr (Cell::has_memory) store(work_.dc + d_at, d.c);
      }
    }
  }

  // Units past H have deltas of zero even where a row holds infinities: they meet other products'
  // zero weights.
  static void store_deltas(typename Slots<Cell, T>::Group slot, Range parts, V (&delta)[L::P],
                           index valid) {
    for (int p = parts.begin; p < parts.end; ++p) {
      store(slot.part(p), valid == L::N ? delta[p] : keep_first(delta[p], valid));
    }
  }

  /// From the deltas of a phase to the gradient of its operand: for the first phase dL/dh of the
  /// step before, which goes on through the cell while it is hot if that step is `in_chunk`.
  template <int Phase>
  void phase(const Slots<Cell, T>& deltas, index step, index row, bool in_chunk) {
    if (own_.meets) worker_.meet();
    const DeltaWeights<Cell, T>& weights = work_.recurrent_weights[Phase];
    const SlotOperand<Cell, T> operand = {deltas, Cell::phase[Phase],
                                          work_.numbers + row + own_.rows.begin};
    constexpr index block_vectors = DeltaWeights<Cell, T>::block_vectors;
    const Span blocks = {own_.groups.begin / block_vectors,
                         ceil_div(own_.groups.end, block_vectors)};
    for (index i = 0; i < blocks.size(); ++i) {
      const index block = step % 2 ? blocks.end - 1 - i : blocks.begin + i;
      const index first = block * block_vectors;
      const Span groups = {larger(first, own_.groups.begin),
                           smaller(first + weights.width(block), own_.groups.end)};
      T* const target = (Phase == 0 ? work_.dh : work_.d_operand) + groups.begin * L::N;
      const Rows<T> c = {target, work_.d_rows + own_.rows.begin, layout_.row()};
      const Rows<const T> start = Phase == 0 ? Rows<const T>{c.base, c.offset, c.stride}
                                             : Rows<const T>{work_.zeros, c.offset, 0};
      multiply<T>(operand, weights.block(block) + (groups.begin - first) * L::N,
                  weights.width(block) * L::N, groups.size(), start, c, own_.rows.size(),
                  [&](index tile_row, index count) {
                    const Span rows = {own_.rows.begin + tile_row,
                                       own_.rows.begin + tile_row + count};
                    if constexpr (Phase > 0) {
                      unstage<Phase>(deltas, step, row, rows, groups);
                    } else if (in_chunk) {
                      cell_backward(deltas, step - 1, row + call_.dims.rows, rows, groups);
                    }
                  });
    }
    if constexpr (Phase > 0) phase<Phase - 1>(deltas, step, row, in_chunk);
  }

  template <int Phase>
  void unstage(const Slots<Cell, T>& deltas, index step, index first_row, Span rows, Span groups) {
    const Slots<Cell, T> gates = history_.slots_of(step);
    const index gates_row = history_.step_row(step);
    for (index b = rows.begin; b < rows.end; ++b) {
      for (index group = groups.begin; group < groups.end; ++group) {
        const index at = work_.state_rows[b] * layout_.row() + group * L::N;
        const index d_at = work_.d_rows[b] * layout_.row() + group * L::N;
        const auto gate_slot = gates.group(gates_row + work_.gate_rows[b], group);
        const auto delta_slot = deltas.group(first_row + b, group);
        V gate[L::P];
        V delta[L::P];
        for (int p = 0; p < L::P; ++p) gate[p] = load<T>(gate_slot.part(p));
        for (int p = 0; p < L::P; ++p) delta[p] = load<T>(delta_slot.part(p));
        V dh = load(work_.dh + d_at);
        Cell::template unstage<Phase>(gate, load(history_.h_at(step) + at),
                                      load(work_.d_operand + d_at), dh, delta);
        store_deltas(delta_slot, Cell::phase[Phase - 1], delta, layout_.valid(group));
        store(work_.dh + d_at, dh);
      }
    }
  }

  void input_product(const Slots<Cell, T>& deltas) {
    const DeltaWeights<Cell, T>& weights = work_.input_weights;
    constexpr index stride = DeltaWeights<Cell, T>::block_lanes;
    T* const scratch = work_.dx + worker_.id * Work::dx_rows * stride;
    const Span own = share(deltas.rows, worker_.id, worker_.count);
    for (index first = own.begin; first < own.end; first += Work::dx_rows) {
      const index count = smaller(Work::dx_rows, own.end - first);
      const SlotOperand<Cell, T> operand = {deltas, Cell::input, work_.numbers + first};
      for (index block = 0; block < weights.blocks(); ++block) {
        const index column = block * stride;
        const index columns = smaller(stride, call_.dims.inputs - column);
        multiply<T>(operand, weights.block(block), weights.width(block) * L::N,
                    weights.width(block), {work_.zeros, work_.numbers, 0},
                    {scratch, work_.numbers, stride}, count, [&](index row, index rows) {
                      for (index i = row; i < row + rows; ++i) {
                        T* dx = call_.out.x.data + work_.dx_offsets[first + i] + column;
                        __builtin_memcpy(dx, scratch + i * stride,
                                         static_cast<std::size_t>(columns) * sizeof(T));
                      }
                    });
      }
    }
  }

  void weight_gradients(const Slots<Cell, T>& deltas) {
    const index block = work_.plan.block_steps * call_.dims.rows;
    for (index row = 0; row < deltas.rows; row += block) {
      const Span rows = {row, smaller(row + block, deltas.rows)};
      for_each_gradient([&](WeightGradient<Cell, T>& gradient, Span strips, const T* operand,
                            const index* offsets, index stride) {
        gradient.add_block(deltas, {operand, offsets, stride}, rows, strips);
      });
    }
  }

  /// Calls body(gradient, this worker's strips, base and offsets and stride of its operand's rows).
  /// All gradients' strips are shared out together, so that few of one kind do not idle a worker.
  template <class Body>
  void for_each_gradient(Body&& body) {
    index total = work_.input_gradient.strips();
    for (const auto& gradient : work_.recurrent_gradients) total += gradient.strips();
    const Span own = share(total, worker_.id, worker_.count);
    index first = 0;
    const auto visit = [&](WeightGradient<Cell, T>& gradient, const T* operand,
                           const index* offsets, index stride) {
      const index end = first + gradient.strips();
      const Span strips = {larger(own.begin, first) - first, smaller(own.end, end) - first};
      if (strips.begin < strips.end) body(gradient, strips, operand, offsets, stride);
      first = end;
    };
    visit(work_.input_gradient, call_.x.data, work_.x_offsets, 1);
    for (int p = 0; p < Cell::phases; ++p) {
      const T* operand = p == 0 ? history_.h_at(0) : history_.operand_at(p, 0);
      visit(work_.recurrent_gradients[p], operand, work_.state_numbers, layout_.row());
    }
  }

  // Copies, as in the forward pass.
  const BackwardCall<T> call_;
  const History<Cell, T, KeepAll> history_;
  Work work_;
  const L layout_;
  Worker& worker_;
  const Ownership own_;
  const Sequence<const T> dy_;
};

}  // namespace
}  // namespace rnnfast
