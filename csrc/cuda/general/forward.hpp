// The forward pass step by step: the input product of all steps, then for each step and phase a
// product and a kernel. Any cell, any option; what a persistent kernel is compared with.
//
//   slots = b + x W_ih^T                           all steps
//   slots += operand W_hh^T;  stage, or finish     each step and phase
#pragma once

#include "cuda/general/rows.hpp"
#include "cuda/general/weights.hpp"
#include "cuda/normalized_step.hpp"
#include "cuda/projection.hpp"
#include "cuda/step.hpp"

namespace rnnfast {
namespace {

/// What a pass keeps: of N packed rows in all.
template <class Cell, class Stored>
struct GeneralHistory {
  using T = ScalarOf<Stored>;
  Stored* x;                      // (N, I)
  T* slots;                       // (N, P, H): gates, or v^
  T* scales;                      // (N, norms)
  States<T> before;               // (N, R), (N, H): before the step
  Stored* operand[Cell::phases];  // (N, R): what the product of a phase multiplied
  Stored* m = nullptr;            // (N, H): what a projection makes h of
};

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

template <class Device, class Cell, class Stored>
class GeneralForward {
  using T = ScalarOf<Stored>;

 public:
  /// `rows`, by rank, lie on the host, all that `call` points to on the device.
  GeneralForward(Device& device, const Cell& cell, const ForwardCall<Stored>& call,
                 const PackedWeights<Cell, Stored>& weights, const PackedRows& packed,
                 const Places& places)
      : device_(device), cell_(cell), call_(call), weights_(weights), packed_(packed) {
    const index H = call.dims.units;
    const index N = packed.count();
    kept_.x = device.template take<Stored>(N * call.dims.inputs);
    kept_.slots = device.template take<T>(N * Cell::parts * H);
    kept_.scales = device.template take<T>(N * scales<Cell>());
    const index R = outputs_of(call.dims);
    const auto of_memory = [&](index rows) {
      return Cell::has_memory ? device.template take<T>(rows * H) : nullptr;
    };
    kept_.before = {device.template take<T>(N * R), of_memory(N)};
    last_ = {device.template take<T>(call.dims.rows * R), of_memory(call.dims.rows)};
    const bool is_state = !is_short<Stored> && !call.masks.recurrent;
    kept_.operand[0] =
        is_state ? if_same<Stored>(kept_.before.h) : device.template take<Stored>(N * R);
    if constexpr (Cell::phases == 2) kept_.operand[1] = device.template take<Stored>(N * R);
    if (weights.w_hr) {
      kept_.m = device.template take<Stored>(N * H);
      product_ = device.template take<T>(call.dims.rows * R);
    }

    run_elements(device, N, call.dims.inputs,
                 Gather<Stored>{call.dims.inputs, places, call.x, kept_.x});
    // A norm adds its biases after it.
    run_elements(
        device, N, Cell::parts * H,
        FillRows<T>{Cell::parts * H, Normalized<Cell> ? nullptr : weights.bias, kept_.slots});
    add_product(0, N, Cell::input, {kept_.x, call.dims.inputs}, call.dims.inputs, weights.w_ih);
  }

  GeneralHistory<Cell, Stored> run() {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    const index B = call_.dims.rows;
    read(R, call_.initial.h, kept_.before.h, rounded_operand(0), last_.h);
    if constexpr (Cell::has_memory) read(H, call_.initial.c, kept_.before.c, nullptr, last_.c);
    if (call_.rows) {
      run_elements(device_, B, R, ClearPadding<Stored>{R, call_.dims.steps, call_.rows, call_.y});
    }
    for (index step = 0; step < packed_.steps(); ++step) take(step);
    write(R, last_.h, call_.last.h);
    if constexpr (Cell::has_memory) write(H, last_.c, call_.last.c);
    return kept_;
  }

 private:
  void read(index units, const Stored* from, T* next, Stored* operand, T* last) {
    const StepRows first = {call_.rows, 0, packed_.active(0)};
    run_elements(device_, call_.dims.rows, units,
                 ReadState<Stored>{units, first, from, next, operand, last});
  }
  void write(index units, const T* from, Stored* to) {
    if (!to) return;
    run_elements(device_, call_.dims.rows, units,
                 WriteState<Stored>{units, {call_.rows, 0, 0}, from, to});
  }

  template <class Number>
  static Number* at(Number* array, index numbers) {
    return array ? array + numbers : nullptr;
  }
  States<T> before(index row) const {
    return {kept_.before.h + row * outputs_of(call_.dims),
            at(kept_.before.c, row * call_.dims.units)};
  }

  /// The first product's, of packed rows from one on, if it is h but for its type; else null.
  Stored* rounded_operand(index row) const {
    if (!is_short<Stored> || call_.masks.recurrent) return nullptr;
    return kept_.operand[0] + row * outputs_of(call_.dims);
  }

  void take(index step) {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    const index first = packed_.first(step);
    const index active = packed_.active(step);
    const StepRows rows = {call_.rows, step, packed_.active(step + 1)};
    begin(rows, first, active);
    add_recurrent_product(0, step);
    T* const slots = kept_.slots + first * Cell::parts * H;
    const bool projects = weights_.w_hr;
    const States<const T> state = {projects ? nullptr : before(first).h, before(first).c};
    if constexpr (Cell::phases == 2) {
      run_elements(device_, active, H,
                   Stage<0, Cell, Stored>{cell_, H, slots, kept_.operand[0] + first * R,
                                          kept_.operand[1] + first * R});
      add_recurrent_product(1, step);
    }
    const States<T> next = rows.next ? before(first + active) : States<T>{};
    Stored* const operand = rows.next ? rounded_operand(first + active) : nullptr;
    const StateAfter<Stored> after = {
        rows, next, operand, last_, call_.y, call_.masks, at(kept_.m, first * H)};
    if constexpr (Normalized<Cell>) {
      run_rows<T>(
          device_, active,
          FinishNormalized<Cell, Stored>{cell_, H, slots, kept_.scales + first * scales<Cell>(),
                                         weights_.norm(), state, after});
    } else {
      run_elements(device_, active, H,
                   Finish<Cell, Stored>{cell_, H, slots, state, after, weights_.of_units});
    }
    if (projects) project(first, active, after);
  }

  /// What of states is made between steps.
  void begin(const StepRows& rows, index first, index active) {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    if (!call_.resets.data && !call_.masks.recurrent) return;
    run_elements(device_, active, R,
                 BeginStep<Stored>{R, rows, call_.resets, before(first).h, call_.masks.recurrent,
                                   call_.masks.recurrent ? kept_.operand[0] + first * R
                                                         : rounded_operand(first)});
    if (!Cell::has_memory || !call_.resets.data) return;
    run_elements(device_, active, H,
                 BeginStep<Stored>{H, rows, call_.resets, before(first).c, nullptr, nullptr});
  }

  void project(index first, index active, const StateAfter<Stored>& after) {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    device_.multiply(Product<Stored>{active,
                                     R,
                                     H,
                                     {kept_.m + first * H, H},
                                     {weights_.w_hr, H, Turn::transposed},
                                     {product_, R},
                                     Sum::anew});
    run_elements(device_, active, R, FinishProjection<Stored>{R, product_, before(first).h, after});
  }

  void add_recurrent_product(int phase, index step) {
    const index R = outputs_of(call_.dims);
    const index first = packed_.first(step);
    add_product(first, packed_.active(step), Cell::phase[phase],
                {kept_.operand[phase] + first * R, R}, R, weights_.w_hh[phase]);
  }

  /// To some parts of packed rows.
  void add_product(index first, index rows, Range parts, const Matrix<const Stored>& operand,
                   index length, const Stored* weights) {
    const index H = call_.dims.units;
    T* const slots = kept_.slots + (first * Cell::parts + parts.begin) * H;
    device_.multiply(Product<Stored>{rows,
                                     parts.count() * H,
                                     length,
                                     operand,
                                     {weights, length, Turn::transposed},
                                     {slots, Cell::parts * H},
                                     Sum::added});
  }

  Device& device_;
  const Cell& cell_;
  const ForwardCall<Stored>& call_;
  const PackedWeights<Cell, Stored>& weights_;
  const PackedRows& packed_;
  GeneralHistory<Cell, Stored> kept_;
  States<T> last_;        // (B, R), (B, H), by rank
  T* product_ = nullptr;  // (B, R), of a projection
};

}  // namespace
}  // namespace rnnfast
