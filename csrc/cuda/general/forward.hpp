// The forward pass: for each block the input product of its steps, then step by step for each phase
// a product and a kernel; any cell, any option. Or, where a persistent driver takes them, all steps
// of a stretch in one launch (cuda/persistent/).
//
//   slots = b + x W_ih^T                           each block
//   slots += operand W_hh^T;  stage, or finish     each step and phase
#pragma once

#include "cuda/general/rows.hpp"
#include "cuda/general/tape.hpp"
#include "cuda/general/weights.hpp"
#include "cuda/normalized_step.hpp"
#include "cuda/persistent/drivers.hpp"
#include "cuda/projection.hpp"
#include "cuda/step.hpp"

namespace rnnfast {
namespace {

/// Every row of a (rows, units) array.
template <class T>
struct FillRows {
  index units;
  const T* with;  // null: zero
  T* to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (own.is_there()) m.store(to + own.at, with ? m.load(with + own.unit) : T(0));
  }
};

/// What a forward pass works with, beside what it remembers.
template <class Cell, class Stored>
struct GeneralForwardWork {
  using T = ScalarOf<Stored>;
  Dims dims;
  index block_steps;
  Stored* x = nullptr;   // (rows of a block, I)
  States<T> last = {};   // (B, R), (B, H), by rank: of rows that take no more steps
  T* product = nullptr;  // (B, R), of a projection

  template <class Memory>
  void place(Memory& memory) {
    const index B = dims.rows;
    const index R = outputs_of(dims);
    x = memory.template take<Stored>(block_steps * B * dims.inputs);
    last.h = memory.template take<T>(B * R);
    if constexpr (Cell::has_memory) last.c = memory.template take<T>(B * dims.units);
    if (dims.projection) product = memory.template take<T>(B * R);
  }
};

template <class Device, class Cell, class Stored>
class GeneralForward {
  using T = ScalarOf<Stored>;

 public:
  /// `call.rows` and `tables` lie on the device.
  GeneralForward(Device& device, const ForwardCall<Stored>& call,
                 const PackedWeights<Cell, Stored>& weights, const PackedRows& packed,
                 const RowTables& tables, const GeneralTape<Cell, Stored>& tape,
                 const GeneralForwardWork<Cell, Stored>& work)
      : device_(device),
        cell_{{}, decltype(Cell::act)(call.activations)},
        call_(call),
        weights_(weights),
        packed_(packed),
        tables_(tables),
        tape_(tape),
        work_(work) {
    if (!is_plain(call.dims, call.masks, call.resets)) return;
    persistent_ = plan_forward<Cell, Stored>(device, call.dims);
  }

  void run() {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    const index B = call_.dims.rows;
    const States<T> first = tape_.checkpoints.before(0);
    read(R, call_.initial.h, first.h, work_.last.h);
    if constexpr (Cell::has_memory) read(H, call_.initial.c, first.c, work_.last.c);
    if (call_.rows) {
      run_elements(device_, B, R, ClearPadding<Stored>{R, call_.dims.steps, call_.rows, call_.y});
    }
    for (index i = 0; i < tape_.plan.stretches(packed_.steps()); ++i) {
      take_stretch(i, tape_.checkpoints.before(i + 1));
    }
    write(R, work_.last.h, call_.last.h);
    if constexpr (Cell::has_memory) write(H, work_.last.c, call_.last.c);
  }

  /// From its checkpoint into the history; `after` gets the states of rows that go on.
  void take_stretch(index i, const States<T>& after) {
    stretch_ = tape_.plan.stretch(i, packed_.steps());
    const index B = packed_.active(stretch_.begin);
    const States<T> before = tape_.checkpoints.before(i);
    copy_array(device_, B * outputs_of(call_.dims), before.h, tape_.history.before.h);
    if (Stored* const operand = rounded_operand(tape_.history)) {
      copy_array(device_, B * outputs_of(call_.dims), before.h, operand);
    }
    if constexpr (Cell::has_memory) {
      copy_array(device_, B * call_.dims.units, before.c, tape_.history.before.c);
    }
    for (index b = 0; b < tape_.plan.blocks(stretch_); ++b) {
      const Span block = tape_.plan.block(b, stretch_);
      input_product(block);
      if (persistent_.driver != Driver::general) continue;
      for (index step = block.begin; step < block.end; ++step) take(step, after);
    }
    if (persistent_.driver != Driver::general) take_at_once(after);
  }

  /// x of a block, packed.
  Matrix<const Stored> input_of(const Span& block) {
    const index I = call_.dims.inputs;
    run_elements(device_, packed_.count(block), I,
                 Gather<Stored>{I, packed_.first(block.begin), tables_.found(), call_.x, work_.x});
    return {work_.x, I};
  }

 private:
  void read(index units, const Stored* from, T* next, T* last) {
    const StepRows first = {call_.rows, 0, packed_.active(0)};
    run_elements(device_, call_.dims.rows, units,
                 ReadState<Stored>{units, first, from, next, last});
  }
  void write(index units, const T* from, Stored* to) {
    if (!to) return;
    run_elements(device_, call_.dims.rows, units,
                 WriteState<Stored>{units, {call_.rows, 0, 0}, from, to});
  }

  /// What is kept from a step on.
  GeneralHistory<Cell, Stored> history(index step) const {
    return tape_.history.from(packed_.count({stretch_.begin, step}));
  }

  /// The first product's, if it is h but for its type; else null.
  Stored* rounded_operand(const GeneralHistory<Cell, Stored>& kept) const {
    return is_short<Stored> && !call_.masks.recurrent ? kept.operand[0] : nullptr;
  }

  void input_product(const Span& block) {
    const index I = call_.dims.inputs;
    const index N = packed_.count(block);
    constexpr index P = Cell::parts;
    const index H = call_.dims.units;
    const Matrix<const Stored> x = input_of(block);
    // A norm adds its biases after it.
    run_elements(device_, N, P * H,
                 FillRows<T>{P * H, Normalized<Cell> ? nullptr : weights_.norms.bias,
                             history(block.begin).slots});
    add_product(history(block.begin).slots, N, Cell::input, x, I, weights_.matrices.w_ih);
  }

  void take(index step, const States<T>& after_stretch) {
    const index H = call_.dims.units;
    const index active = packed_.active(step);
    const StepRows rows = {call_.rows, step, packed_.active(step + 1)};
    const GeneralHistory<Cell, Stored> kept = history(step);
    begin(rows, active, kept);
    add_recurrent_product(0, active, kept);
    const bool projects = weights_.w_hr;
    const States<const T> state = {projects ? nullptr : kept.before.h, kept.before.c};
    if constexpr (Cell::phases == 2) {
      run_elements(device_, active, H,
                   Stage<0, Cell, Stored>{cell_, H, kept.slots, kept.operand[0], kept.operand[1]});
      add_recurrent_product(1, active, kept);
    }
    const bool is_last = step + 1 == stretch_.end;
    const GeneralHistory<Cell, Stored> then = history(is_last ? step : step + 1);
    const StateAfter<Stored> after = {rows,
                                      is_last ? after_stretch : then.before,
                                      is_last ? nullptr : rounded_operand(then),
                                      work_.last,
                                      call_.y,
                                      call_.masks,
                                      kept.m};
    if constexpr (Normalized<Cell>) {
      run_rows<T>(device_, active,
                  FinishNormalized<Cell, Stored>{cell_, H, kept.slots, kept.scales,
                                                 weights_.norms.arrays(), state, after});
    } else {
      run_elements(device_, active, H,
                   Finish<Cell, Stored>{cell_, H, kept.slots, state, after, weights_.of_units});
    }
    if (projects) project(active, kept, after);
  }

  /// All steps of the stretch.
  void take_at_once(const States<T>& after_stretch) {
    if constexpr (Resident<Cell>) {
      const GeneralHistory<Cell, Stored>& kept = tape_.history;
      ForwardSteps<Cell, Stored> of = {cell_,
                                       persistent_.division,
                                       tables_.steps(),
                                       stretch_,
                                       {},
                                       kept.slots,
                                       kept.before,
                                       {},
                                       after_stretch,
                                       work_.last,
                                       call_.y,
                                       call_.masks};
      for (int phase = 0; phase < Cell::phases; ++phase) {
        of.w_hh[phase] = weights_.matrices.w_hh[phase];
        of.operand[phase] = kept.operand[phase];
      }
      run_persistent(device_, persistent_, of);
    }
  }

  /// What of states is made between steps.
  void begin(const StepRows& rows, index active, const GeneralHistory<Cell, Stored>& kept) {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    if (!call_.resets.data && !call_.masks.recurrent) return;
    run_elements(
        device_, active, R,
        BeginStep<Stored>{R, rows, call_.resets, kept.before.h, call_.masks.recurrent,
                          call_.masks.recurrent ? kept.operand[0] : rounded_operand(kept)});
    if (!Cell::has_memory || !call_.resets.data) return;
    run_elements(device_, active, H,
                 BeginStep<Stored>{H, rows, call_.resets, kept.before.c, nullptr, nullptr});
  }

  void project(index active, const GeneralHistory<Cell, Stored>& kept,
               const StateAfter<Stored>& after) {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    device_.multiply(Product<Stored>{active,
                                     R,
                                     H,
                                     {kept.m, H},
                                     {weights_.w_hr, H, Turn::transposed},
                                     {work_.product, R},
                                     Sum::anew});
    run_elements(device_, active, R,
                 FinishProjection<Stored>{R, work_.product, kept.before.h, after});
  }

  void add_recurrent_product(int phase, index active, const GeneralHistory<Cell, Stored>& kept) {
    const index R = outputs_of(call_.dims);
    add_product(kept.slots, active, Cell::phase[phase], {kept.operand[phase], R}, R,
                weights_.matrices.w_hh[phase]);
  }

  /// To some parts of rows of slots.
  void add_product(T* slots, index rows, Range parts, const Matrix<const Stored>& operand,
                   index length, const Stored* weights) {
    const index H = call_.dims.units;
    device_.multiply(Product<Stored>{rows,
                                     parts.count() * H,
                                     length,
                                     operand,
                                     {weights, length, Turn::transposed},
                                     {slots + parts.begin * H, Cell::parts * H},
                                     Sum::added});
  }

  Device& device_;
  const Cell cell_;
  const ForwardCall<Stored>& call_;
  const PackedWeights<Cell, Stored>& weights_;
  const PackedRows& packed_;
  const RowTables& tables_;
  const GeneralTape<Cell, Stored>& tape_;
  const GeneralForwardWork<Cell, Stored>& work_;
  PersistentPlan persistent_;
  Span stretch_ = {0, 0};
};

}  // namespace
}  // namespace rnnfast
