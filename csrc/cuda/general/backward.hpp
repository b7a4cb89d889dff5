// The backward pass step by step, from the last: deltas, then dL/d(state before the step), or all
// of a block in one launch where a persistent driver takes them (cuda/persistent/); after each
// block the gradients of weights and inputs, in one product each. From checkpoints, a stretch is
// made once more before it is taken back.
//
//   deltas;  dh += deltas W_hh, or unstage                          each step and phase
//   dW_hh += deltas^T operand    dW_ih += deltas^T x    dx = deltas W_ih      each block
#pragma once

#include "cuda/general/forward.hpp"
#include "cuda/general/weight_sums.hpp"

namespace rnnfast {
namespace {

/// dL/d(initial h), from what is left after the first step.
template <class Stored>
struct GiveInitialH {
  using T = ScalarOf<Stored>;
  index units;
  StateGradients<Stored> gradients;
  Stored* to;  // (B, R), by sequence

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    T passed;
    const index given = gradients.rows.of(m, own.row).sequence * units + own.unit;
    store_as(m, to + given, gradients.take_h(m, own, passed));
  }
};

template <class Stored>
struct GiveInitialC {
  using T = ScalarOf<Stored>;
  index units;
  StateGradients<Stored> gradients;
  Stored* to;  // (B, H), by sequence

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, units);
    if (!own.is_there()) return;
    T passed;
    const index given = gradients.rows.of(m, own.row).sequence * units + own.unit;
    store_as(m, to + given, gradients.take_c(m, own, passed));
  }
};

/// What a backward pass works with, beside what it remembers.
template <class Cell, class Stored>
struct GeneralBackwardWork {
  using T = ScalarOf<Stored>;
  Dims dims;
  index rows;  // of a block
  bool masks_operand;
  T* dx = nullptr;               // (N, I), of a block
  Stored* deltas = nullptr;      // (N, P, H), likewise
  T* whole_deltas = nullptr;     // (N, P, H) or (B, P, H): before they are operands
  Stored* d_products = nullptr;  // (N, R), of projections
  States<T> d = {};              // (B, R), (B, H), by rank
  T* d_masked = nullptr;         // (B, R), of the masked operand
  T* d_later_operand = nullptr;  // (B, R)
  T* d_m = nullptr;              // (B, H), of what is projected

  GeneralBackwardWork(const Dims& dims, const GeneralPlan& plan)
      : dims(dims), rows(plan.block_steps * dims.rows), masks_operand(plan.masks_operand) {}

  template <class Memory>
  void place(Memory& memory) {
    const index B = dims.rows;
    const index H = dims.units;
    const index R = outputs_of(dims);
    dx = memory.template take<T>(rows * dims.inputs);
    deltas = memory.template take<Stored>(rows * Cell::parts * H);
    if constexpr (is_short<Stored> && (Normalized<Cell> || Cell::phases == 2)) {
      whole_deltas = memory.template take<T>((Normalized<Cell> ? rows : B) * Cell::parts * H);
    }
    d.h = memory.template take<T>(B * R);
    if constexpr (Cell::has_memory) d.c = memory.template take<T>(B * H);
    if (masks_operand) d_masked = memory.template take<T>(B * R);
    if constexpr (Cell::phases == 2) d_later_operand = memory.template take<T>(B * R);
    if (!dims.projection) return;
    d_products = memory.template take<Stored>(rows * R);
    d_m = memory.template take<T>(B * H);
  }
};

template <class Device, class Cell, class Stored>
class GeneralBackward {
  using T = ScalarOf<Stored>;

 public:
  /// `forward` is the pass that has left the tape, or that makes its stretches once more, leaving
  /// states that nobody needs in `unneeded`.
  GeneralBackward(Device& device, const BackwardCall<Stored>& call,
                  const PackedWeights<Cell, Stored>& weights, const PackedRows& packed,
                  const RowTables& tables, const GeneralTape<Cell, Stored>& tape,
                  GeneralForward<Device, Cell, Stored>& forward, const States<T>& unneeded,
                  const GeneralBackwardWork<Cell, Stored>& work,
                  WeightSums<Device, Cell, Stored>& sums)
      : device_(device),
        cell_{{}, decltype(Cell::act)(call.activations)},
        call_(call),
        weights_(weights),
        packed_(packed),
        tables_(tables),
        tape_(tape),
        forward_(forward),
        unneeded_(unneeded),
        work_(work),
        sums_(sums) {
    if (!is_plain(call.dims, call.masks, call.resets)) return;
    persistent_ = plan_backward<Cell, Stored>(device, call.dims);
  }

  void run() {
    if (call_.rows && call_.out.x.data) {
      run_elements(
          device_, call_.dims.rows, call_.dims.inputs,
          ClearPadding<Stored>{call_.dims.inputs, call_.dims.steps, call_.rows, call_.out.x});
    }
    sums_.begin();
    const GeneralPlan& plan = tape_.plan;
    for (index i = plan.stretches(packed_.steps()) - 1; i >= 0; --i) {
      stretch_ = plan.stretch(i, packed_.steps());
      if (plan.kept == Kept::checkpoints) forward_.take_stretch(i, unneeded_);
      for (index b = plan.blocks(stretch_) - 1; b >= 0; --b) {
        block_ = plan.block(b, stretch_);
        take_block();
      }
    }
    give_initial();
    sums_.give();
  }

 private:
  void take_block() {
    const GeneralHistory<Cell, Stored> kept = history(block_.begin);
    const index rows = packed_.count(block_);
    if (persistent_.driver == Driver::general) {
      for (index step = block_.end - 1; step >= block_.begin; --step) take(step);
    } else {
      take_at_once();
    }
    if constexpr (Normalized<Cell>) {
      sums_.add_parts(rows, kept, whole_deltas(0));
    } else {
      sums_.add_parts(rows, kept, work_.deltas);
    }
    if constexpr (Normalized<Cell>) {
      run_rows<T>(device_, rows,
                  BackThroughInputNorms<Cell, Stored>{call_.dims.units, kept.slots, kept.scales,
                                                      weights_.norms.arrays(), whole_deltas(0),
                                                      work_.deltas});
    }
    sums_.add_products(rows, kept, forward_.input_of(block_), work_.deltas, work_.d_products);
    input_gradient();
  }

  GeneralHistory<Cell, Stored> history(index step) const {
    return tape_.history.from(packed_.count({stretch_.begin, step}));
  }

  /// After a step, or before all.
  StateGradients<Stored> gradients(index step) const {
    const bool truncated = call_.truncate && step + 1 > 0 && (step + 1) % call_.truncate == 0;
    const Masks<T> none = {call_.masks.recurrent, {}, {}};
    return {{call_.rows, step, packed_.active(step + 1)},
            work_.d,
            call_.d_last,
            step < 0 ? Sequence<const Stored>{} : call_.dy,
            work_.d_masked,
            call_.resets,
            truncated,
            step < 0 ? none : call_.masks,
            work_.d_m};
  }

  void take(index step) {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    const index active = packed_.active(step);
    const index first = packed_.count({block_.begin, step});
    const GeneralHistory<Cell, Stored> kept = history(step);
    Stored* const deltas = work_.deltas + first * Cell::parts * H;
    const bool projects = weights_.w_hr;
    if (projects) project(step, active, work_.d_products + first * R);
    const States<const T> before = {projects ? nullptr : kept.before.h, kept.before.c};
    if constexpr (Normalized<Cell>) {
      run_rows<T>(device_, active,
                  StepBackwardNormalized<Cell, Stored>{
                      cell_, H, kept.slots, kept.scales, weights_.norms.arrays(), before,
                      gradients(step), whole_deltas(first), deltas});
    } else {
      run_elements(device_, active, H,
                   StepBackward<Cell, Stored>{cell_, H, kept.slots, before, gradients(step), deltas,
                                              whole_deltas(first), weights_.of_units});
    }
    // The first product's operand is h, unless that is masked.
    T* const d_first = call_.masks.recurrent ? work_.d_masked : work_.d.h;
    if (call_.masks.recurrent) run_elements(device_, active, R, FillRows<T>{R, nullptr, d_first});
    if constexpr (Cell::phases == 2) {
      multiply_deltas(1, deltas, active, work_.d_later_operand, Sum::anew);
      run_elements(
          device_, active, H,
          Unstage<1, Cell, Stored>{cell_, H, kept.slots, kept.operand[0], work_.d_later_operand,
                                   d_first, whole_deltas(first), deltas});
    }
    multiply_deltas(0, deltas, active, d_first, Sum::added);
  }

  /// All steps of the block.
  void take_at_once() {
    if constexpr (Resident<Cell>) {
      const GeneralHistory<Cell, Stored> kept = history(block_.begin);
      BackwardSteps<Cell, Stored> of = {cell_,
                                        persistent_.division,
                                        tables_.steps(),
                                        block_,
                                        {},
                                        kept.slots,
                                        {kept.before.h, kept.before.c},
                                        kept.operand[0],
                                        work_.deltas,
                                        work_.whole_deltas,
                                        work_.d,
                                        call_.d_last,
                                        call_.dy,
                                        call_.masks,
                                        call_.truncate};
      for (int phase = 0; phase < Cell::phases; ++phase) {
        of.w_hh[phase] = weights_.matrices.w_hh[phase];
      }
      run_persistent(device_, persistent_, of);
    }
  }

  /// Deltas before they are operands: where these are, if that is as good; else of all rows of a
  /// block where norms are, or of one step.
  T* whole_deltas(index row) const {
    const index numbers = row * Cell::parts * call_.dims.units;
    if constexpr (!is_short<Stored>) return work_.deltas + numbers;
    return Normalized<Cell> ? work_.whole_deltas + numbers : work_.whole_deltas;
  }

  /// dm of a step.
  void project(index step, index active, Stored* d_product) {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    run_elements(device_, active, R, ProjectionBackward<Stored>{R, gradients(step), d_product});
    device_.multiply(Product<Stored>{
        active, H, R, {d_product, R}, {weights_.w_hr, H}, {work_.d_m, H}, Sum::anew});
  }

  /// The gradient of a phase's operand.
  void multiply_deltas(int phase, const Stored* deltas, index rows, T* to, Sum sum) {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    constexpr int P = Cell::parts;
    const Range parts = Cell::phase[phase];
    device_.multiply(Product<Stored>{rows,
                                     R,
                                     parts.count() * H,
                                     {deltas + parts.begin * H, P * H},
                                     {weights_.matrices.w_hh[phase], R},
                                     {to, R},
                                     sum});
  }

  void give_initial() {
    const States<Stored>& to = call_.out.initial;
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    const index B = call_.dims.rows;
    if (to.h) run_elements(device_, B, R, GiveInitialH<Stored>{R, gradients(-1), to.h});
    if (to.c) run_elements(device_, B, H, GiveInitialC<Stored>{H, gradients(-1), to.c});
  }

  void input_gradient() {
    if (!call_.out.x.data) return;
    const index H = call_.dims.units;
    const index I = call_.dims.inputs;
    const index N = packed_.count(block_);
    constexpr int P = Cell::parts;
    device_.multiply(Product<Stored>{N,
                                     I,
                                     Cell::input.count() * H,
                                     {work_.deltas + Cell::input.begin * H, P * H},
                                     {weights_.matrices.w_ih, I},
                                     {work_.dx, I},
                                     Sum::anew});
    run_elements(
        device_, N, I,
        Scatter<Stored>{I, packed_.first(block_.begin), tables_.found(), work_.dx, call_.out.x});
  }

  Device& device_;
  const Cell cell_;
  const BackwardCall<Stored>& call_;
  const PackedWeights<Cell, Stored>& weights_;
  const PackedRows& packed_;
  const RowTables& tables_;
  const GeneralTape<Cell, Stored>& tape_;
  GeneralForward<Device, Cell, Stored>& forward_;
  const States<T> unneeded_;
  const GeneralBackwardWork<Cell, Stored>& work_;
  WeightSums<Device, Cell, Stored>& sums_;
  PersistentPlan persistent_;
  Span stretch_ = {0, 0};
  Span block_ = {0, 0};
};

}  // namespace
}  // namespace rnnfast
