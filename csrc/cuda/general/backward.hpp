// The backward pass step by step, from the last: deltas, then dL/d(state before the step); at the
// end the gradients of weights and inputs, in one product each.
//
//   deltas;  dh += deltas W_hh, or unstage         each step and phase
//   dW_hh = deltas^T operand    dW_ih = deltas^T x    dx = deltas W_ih
#pragma once

#include "cuda/general/forward.hpp"
#include "cuda/general/sums.hpp"

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

template <class Device, class Cell, class Stored>
class GeneralBackward {
  using T = ScalarOf<Stored>;

 public:
  /// Of the same rows and weights as the forward pass that `kept` is of.
  GeneralBackward(Device& device, const Cell& cell, const BackwardCall<Stored>& call,
                  const PackedWeights<Cell, Stored>& weights, const PackedRows& packed,
                  const Places& places, const GeneralHistory<Cell, Stored>& kept)
      : device_(device),
        cell_(cell),
        call_(call),
        weights_(weights),
        packed_(packed),
        places_(places),
        kept_(kept) {
    const index H = call.dims.units;
    const index B = call.dims.rows;
    const index R = outputs_of(call.dims);
    d_ = {device.template take<T>(B * R),
          Cell::has_memory ? device.template take<T>(B * H) : nullptr};
    deltas_ = device.template take<Stored>(packed.count() * Cell::parts * H);
    if constexpr (is_short<Stored> && (Normalized<Cell> || Cell::phases == 2)) {
      const index rows = Normalized<Cell> ? packed.count() : B;
      whole_deltas_ = device.template take<T>(rows * Cell::parts * H);
    }
    if (call.masks.recurrent) d_masked_ = device.template take<T>(B * R);
    if (Cell::phases == 2) d_later_operand_ = device.template take<T>(B * R);
    if (weights.w_hr) {
      d_m_ = device.template take<T>(B * H);
      d_products_ = device.template take<Stored>(packed.count() * R);
    }
  }

  void run() {
    for (index step = packed_.steps() - 1; step >= 0; --step) take(step);
    give_initial();
    sums();
    if constexpr (Normalized<Cell>) {
      run_rows<T>(device_, packed_.count(),
                  BackThroughInputNorms<Cell, Stored>{call_.dims.units, kept_.slots, kept_.scales,
                                                      weights_.norm(), whole_deltas(0), deltas_});
    }
    weight_gradients();
    input_gradient();
  }

 private:
  /// After a step, or before all.
  StateGradients<Stored> gradients(index step) const {
    const bool truncated = call_.truncate && step + 1 > 0 && (step + 1) % call_.truncate == 0;
    const Masks<T> none = {call_.masks.recurrent, {}, {}};
    return {{call_.rows, step, packed_.active(step + 1)},
            d_,
            call_.d_last,
            step < 0 ? Sequence<const Stored>{} : call_.dy,
            d_masked_,
            call_.resets,
            truncated,
            step < 0 ? none : call_.masks,
            d_m_};
  }

  void take(index step) {
    const index H = call_.dims.units;
    const index first = packed_.first(step);
    const index active = packed_.active(step);
    const T* const slots = kept_.slots + first * Cell::parts * H;
    Stored* const deltas = deltas_ + first * Cell::parts * H;
    const bool projects = weights_.w_hr;
    if (projects) project(step);
    const States<const T> before = {projects ? nullptr : kept_.before.h + first * H,
                                    Cell::has_memory ? kept_.before.c + first * H : nullptr};
    if constexpr (Normalized<Cell>) {
      run_rows<T>(device_, active,
                  StepBackwardNormalized<Cell, Stored>{
                      cell_, H, slots, kept_.scales + first * scales<Cell>(), weights_.norm(),
                      before, gradients(step), whole_deltas(first), deltas});
    } else {
      run_elements(device_, active, H,
                   StepBackward<Cell, Stored>{cell_, H, slots, before, gradients(step), deltas,
                                              whole_deltas(first), weights_.of_units});
    }
    T* const d_first = d_first_operand();
    if (call_.masks.recurrent) {
      const index R = outputs_of(call_.dims);
      run_elements(device_, active, R, FillRows<T>{R, nullptr, d_first});
    }
    if constexpr (Cell::phases == 2) {
      multiply_deltas(1, deltas, active, d_later_operand_, Sum::anew);
      run_elements(
          device_, active, H,
          Unstage<1, Cell, Stored>{cell_, H, slots, kept_.operand[0] + first * H, d_later_operand_,
                                   d_first, whole_deltas(first), deltas});
    }
    multiply_deltas(0, deltas, active, d_first, Sum::added);
  }

  /// Deltas before they are operands: where these are, if that is as good; else of all packed rows
  /// where norms are, or of one step.
  T* whole_deltas(index row) const {
    const index numbers = row * Cell::parts * call_.dims.units;
    if constexpr (!is_short<Stored>) return deltas_ + numbers;
    return Normalized<Cell> ? whole_deltas_ + numbers : whole_deltas_;
  }

  /// The first product's operand is h, unless that is masked.
  T* d_first_operand() const { return call_.masks.recurrent ? d_masked_ : d_.h; }

  /// dm of a step.
  void project(index step) {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    const index active = packed_.active(step);
    Stored* const d_product = d_products_ + packed_.first(step) * R;
    run_elements(device_, active, R, ProjectionBackward<Stored>{R, gradients(step), d_product});
    device_.multiply(
        Product<Stored>{active, H, R, {d_product, R}, {weights_.w_hr, H}, {d_m_, H}, Sum::anew});
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
                                     {weights_.w_hh[phase], R},
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

  void sums() {
    const index H = call_.dims.units;
    const WeightSet<Stored>& out = call_.out.weights;
    T* const bias = device_.template take<T>(Cell::parts * H);
    T* const gain = Normalized<Cell> ? device_.template take<T>(Cell::parts * H) : nullptr;
    if constexpr (Normalized<Cell>) {
      run_elements(device_, 1, H,
                   PartSums<Cell, T>{H, packed_.count(), kept_.slots, whole_deltas(0), bias, gain});
    } else {
      run_elements(device_, 1, H,
                   PartSums<Cell, Stored>{H, packed_.count(), kept_.slots, deltas_, bias, gain});
    }
    for (int p = 0; p < Cell::parts; ++p) {
      const PartArrays<Cell, Stored> to(out, p, H);
      if (to.b_ih) copy_array(device_, H, bias + p * H, to.b_ih);
      if (to.b_hh) copy_array(device_, H, bias + p * H, to.b_hh);
      if (to.gain) copy_array(device_, H, gain + p * H, to.gain);
    }
    if constexpr (unit_weights_of<Cell>() > 0) {
      if (!out[WeightId::of_units]) return;
      run_elements(device_, 1, H,
                   UnitWeightSums<Cell, Stored>{H, packed_.count(), kept_.slots, deltas_,
                                                kept_.before.c, out[WeightId::of_units]});
    }
  }

  void weight_gradients() {
    const index H = call_.dims.units;
    const index R = outputs_of(call_.dims);
    const WeightSet<Stored>& out = call_.out.weights;
    weight_gradient(Cell::input, {kept_.x, call_.dims.inputs}, call_.dims.inputs,
                    out[WeightId::w_ih]);
    for (int phase = 0; phase < Cell::phases; ++phase) {
      weight_gradient(Cell::phase[phase], {kept_.operand[phase], R}, R, out[WeightId::w_hh]);
    }
    if (!weights_.w_hr || !out[WeightId::w_hr]) return;
    T* const d_w_hr = device_.template take<T>(R * H);
    device_.multiply(Product<Stored>{R,
                                     H,
                                     packed_.count(),
                                     {d_products_, R, Turn::transposed},
                                     {kept_.m, H},
                                     {d_w_hr, H},
                                     Sum::anew});
    copy_array(device_, R * H, d_w_hr, out[WeightId::w_hr]);
  }

  void weight_gradient(Range parts, const Matrix<const Stored>& operand, index width, Stored* to) {
    if (!to) return;
    const index H = call_.dims.units;
    constexpr int P = Cell::parts;
    T* const packed = device_.template take<T>(parts.count() * H * width);
    device_.multiply(Product<Stored>{parts.count() * H,
                                     width,
                                     packed_.count(),
                                     {deltas_ + parts.begin * H, P * H, Turn::transposed},
                                     operand,
                                     {packed, width},
                                     Sum::anew});
    for_parts<Cell>(parts, H, width, [&](index own, index given, index count) {
      copy_array(device_, count, packed + own, to + given);
    });
  }

  void input_gradient() {
    if (!call_.out.x.data) return;
    const index H = call_.dims.units;
    const index I = call_.dims.inputs;
    constexpr int P = Cell::parts;
    T* const dx = device_.template take<T>(packed_.count() * I);
    device_.multiply(Product<Stored>{packed_.count(),
                                     I,
                                     Cell::input.count() * H,
                                     {deltas_ + Cell::input.begin * H, P * H},
                                     {weights_.w_ih, I},
                                     {dx, I},
                                     Sum::anew});
    if (call_.rows) {
      run_elements(device_, call_.dims.rows, I,
                   ClearPadding<Stored>{I, call_.dims.steps, call_.rows, call_.out.x});
    }
    run_elements(device_, packed_.count(), I, Scatter<Stored>{I, places_, dx, call_.out.x});
  }

  Device& device_;
  const Cell& cell_;
  const BackwardCall<Stored>& call_;
  const PackedWeights<Cell, Stored>& weights_;
  const PackedRows& packed_;
  const Places places_;
  const GeneralHistory<Cell, Stored>& kept_;
  States<T> d_;                   // (B, R), (B, H), by rank
  Stored* deltas_;                // (N, P, H)
  T* whole_deltas_ = nullptr;     // (N, P, H) or (B, P, H)
  T* d_masked_ = nullptr;         // (B, R), of the masked operand
  T* d_later_operand_ = nullptr;  // (B, H)
  T* d_m_ = nullptr;              // (B, H), of what is projected
  Stored* d_products_ = nullptr;  // (N, R), of projections
};

}  // namespace
}  // namespace rnnfast
