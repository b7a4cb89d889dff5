// Gradients of weights, summed block by block from the last, in the order of parts; then given to
// the caller's arrays.
//
//   db += deltas        dgain += deltas v^        dw_of_units += deltas c
//   dW += deltas^T operand
#pragma once

#include "cuda/general/sums.hpp"
#include "cuda/general/tape.hpp"
#include "cuda/general/weights.hpp"

namespace rnnfast {
namespace {

template <class Cell, class Stored>
struct WeightSumsWork {
  using T = ScalarOf<Stored>;
  Dims dims;
  WeightSet<Stored> wanted;
  PackedMatrices<Cell, T> sums;
  T* w_hr = nullptr;      // (R, H)
  T* of_units = nullptr;  // (U, H)
  T* bias = nullptr;      // (P, H), of deltas as they lie
  T* gain = nullptr;      // (P, H)
  T* segments[2] = {};    // (segments of a block, P, H)
  index rows;             // of a block

  WeightSumsWork(const Dims& dims, const GeneralPlan& plan, const WeightSet<Stored>& wanted)
      : dims(dims), wanted(wanted), sums{dims}, rows(plan.block_steps * dims.rows) {}

  template <class Memory>
  void place(Memory& memory) {
    const index numbers = part_numbers();
    sums.place(memory);
    if (dims.projection) w_hr = memory.template take<T>(projection_numbers());
    if (unit_numbers()) of_units = memory.template take<T>(unit_numbers());
    bias = memory.template take<T>(numbers);
    segments[0] = memory.template take<T>(segments_of(rows) * numbers);
    if constexpr (!Normalized<Cell>) return;
    gain = memory.template take<T>(numbers);
    segments[1] = memory.template take<T>(segments_of(rows) * numbers);
  }

  index part_numbers() const { return Cell::parts * dims.units; }
  index projection_numbers() const { return dims.projection * dims.units; }
  index unit_numbers() const { return unit_weights_of<Cell>() * dims.units; }
};

template <class Device, class Cell, class Stored>
class WeightSums {
  using T = ScalarOf<Stored>;

 public:
  WeightSums(Device& device, const WeightSumsWork<Cell, Stored>& work)
      : device_(device), work_(work) {}

  /// Of nothing.
  void begin() {
    clear(work_.part_numbers(), work_.bias);
    clear(work_.part_numbers(), work_.gain);
    if (wants(WeightId::w_ih)) clear(work_.sums.input_numbers(), work_.sums.w_ih);
    for (int phase = 0; wants(WeightId::w_hh) && phase < Cell::phases; ++phase) {
      clear(work_.sums.recurrent_numbers(phase), work_.sums.w_hh[phase]);
    }
    clear(work_.projection_numbers(), work_.w_hr);
    clear(work_.unit_numbers(), work_.of_units);
  }

  /// Of the rows of a block, whose deltas are as the cell sees them.
  template <class Deltas>
  void add_parts(index rows, const GeneralHistory<Cell, Stored>& kept, const Deltas* deltas) {
    const index H = work_.dims.units;
    T* const of_bias = work_.segments[0];
    run_elements(device_, segments_of(rows), H,
                 PartSums<Cell, Deltas>{H, rows, kept.slots, deltas, of_bias, work_.segments[1]});
    add_segments(work_.part_numbers(), rows, of_bias, work_.bias);
    if constexpr (Normalized<Cell>) {
      add_segments(work_.part_numbers(), rows, work_.segments[1], work_.gain);
    }
    if constexpr (unit_weights_of<Cell>() > 0) {
      if (!wants(WeightId::of_units)) return;
      run_elements(
          device_, segments_of(rows), H,
          UnitWeightSums<Cell, Deltas>{H, rows, kept.slots, deltas, kept.before.c, of_bias});
      add_segments(work_.unit_numbers(), rows, of_bias, work_.of_units);
    }
  }

  /// Of the same rows, whose deltas are those of products.
  void add_products(index rows, const GeneralHistory<Cell, Stored>& kept,
                    const Matrix<const Stored>& x, const Stored* deltas, const Stored* d_products) {
    const index H = work_.dims.units;
    const index R = outputs_of(work_.dims);
    if (wants(WeightId::w_ih)) {
      add_product(Cell::input, rows, deltas, x, work_.dims.inputs, work_.sums.w_ih);
    }
    for (int phase = 0; wants(WeightId::w_hh) && phase < Cell::phases; ++phase) {
      add_product(Cell::phase[phase], rows, deltas, {kept.operand[phase], R}, R,
                  work_.sums.w_hh[phase]);
    }
    if (!work_.dims.projection || !wants(WeightId::w_hr)) return;
    device_.multiply(Product<Stored>{
        R, H, rows, {d_products, R, Turn::transposed}, {kept.m, H}, {work_.w_hr, H}, Sum::added});
  }

  void give() {
    const index H = work_.dims.units;
    for (int p = 0; p < Cell::parts; ++p) {
      const PartArrays<Cell, Stored> of(work_.wanted, p, H);
      const T* const bias = work_.bias + delta_part<Cell>(p) * H;
      if (of.b_ih) copy_array(device_, H, bias, of.b_ih);
      if (of.b_hh) copy_array(device_, H, bias, of.b_hh);
      if (of.gain) copy_array(device_, H, work_.gain + p * H, of.gain);
    }
    if (wants(WeightId::w_ih)) {
      work_.sums.for_input_parts([&](const T* from, index given, index count) {
        copy_array(device_, count, from, to(WeightId::w_ih) + given);
      });
    }
    if (wants(WeightId::w_hh)) {
      work_.sums.for_recurrent_parts([&](const T* from, index given, index count) {
        copy_array(device_, count, from, to(WeightId::w_hh) + given);
      });
    }
    if (wants(WeightId::w_hr)) {
      copy_array(device_, work_.projection_numbers(), work_.w_hr, to(WeightId::w_hr));
    }
    if (wants(WeightId::of_units)) {
      copy_array(device_, work_.unit_numbers(), work_.of_units, to(WeightId::of_units));
    }
  }

 private:
  Stored* to(WeightId id) const { return work_.wanted[id]; }
  bool wants(WeightId id) const { return to(id) != nullptr; }

  void clear(index count, T* array) {
    if (array) copy_array(device_, count, static_cast<const T*>(nullptr), array);
  }
  void add_segments(index count, index rows, const T* from, T* sum) {
    run_elements(device_, 1, count, AddSegments<T>{count, segments_of(rows), from, sum});
  }

  void add_product(Range parts, index rows, const Stored* deltas,
                   const Matrix<const Stored>& operand, index width, T* sum) {
    const index H = work_.dims.units;
    device_.multiply(Product<Stored>{parts.count() * H,
                                     width,
                                     rows,
                                     {deltas + parts.begin * H, Cell::parts * H, Turn::transposed},
                                     operand,
                                     {sum, width},
                                     Sum::added});
  }

  Device& device_;
  const WeightSumsWork<Cell, Stored>& work_;
};

}  // namespace
}  // namespace rnnfast
