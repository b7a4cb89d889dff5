// Gradients of weights, summed block by block from the last, in the order of parts; then given to
// the caller's arrays. Of a batch, or of each sequence: an owner has its sums.
//
//   db += deltas        dgain += deltas v^        dw_of_units += deltas c
//   dW += deltas^T operand
#pragma once

#include "cuda/general/rows.hpp"
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
  index owners;  // O: 1, the batch; or B, its sequences
  PackedMatrices<Cell, T> sums;
  T* w_hr = nullptr;      // (O, R, H)
  T* of_units = nullptr;  // (O, U, H)
  T* bias = nullptr;      // (O, P, H), of deltas as they lie
  T* gain = nullptr;      // (O, P, H)
  T* strips[2] = {};      // (strips of a block, P, H)
  index rows;             // of a block

  WeightSumsWork(const Dims& dims, const GeneralPlan& plan, const Gradients<Stored>& out)
      : dims(dims),
        wanted(out.weights),
        owners(out.of_sequences ? dims.rows : 1),
        sums{dims, owners},
        rows(plan.block_steps * dims.rows) {}

  template <class Memory>
  void place(Memory& memory) {
    const index numbers = part_numbers();
    const index at_once = larger(segments_of(rows), owners);
    sums.place(memory);
    if (dims.projection) w_hr = memory.template take<T>(owners * projection_numbers());
    if (unit_numbers()) of_units = memory.template take<T>(owners * unit_numbers());
    bias = memory.template take<T>(owners * numbers);
    strips[0] = memory.template take<T>(at_once * numbers);
    if constexpr (!Normalized<Cell>) return;
    gain = memory.template take<T>(owners * numbers);
    strips[1] = memory.template take<T>(at_once * numbers);
  }

  // Of an owner.
  index part_numbers() const { return Cell::parts * dims.units; }
  index projection_numbers() const { return dims.projection * dims.units; }
  index unit_numbers() const { return unit_weights_of<Cell>() * dims.units; }
};

template <class Device, class Cell, class Stored>
class WeightSums {
  using T = ScalarOf<Stored>;

 public:
  /// `rows` by rank, on the device; null where each is a sequence that takes all steps.
  WeightSums(Device& device, const WeightSumsWork<Cell, Stored>& work, const SequenceRow* rows)
      : device_(device), work_(work), owners_{work.owners > 1 ? rows : nullptr, 0, 0} {}

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
  void add_parts(const PackedRows& packed, const Span& block,
                 const GeneralHistory<Cell, Stored>& kept, const Deltas* deltas) {
    for_runs(packed, block, [&](const SummedRows& rows) {
      const index H = work_.dims.units;
      T* const of_bias = work_.strips[0];
      run_elements(device_, rows.strips(), H,
                   PartSums<Cell, Deltas>{H, rows, kept.slots, deltas, of_bias, work_.strips[1]});
      add_strips(work_.part_numbers(), rows, of_bias, work_.bias);
      if constexpr (Normalized<Cell>) {
        add_strips(work_.part_numbers(), rows, work_.strips[1], work_.gain);
      }
      if constexpr (unit_weights_of<Cell>() > 0) {
        if (!wants(WeightId::of_units)) return;
        run_elements(
            device_, rows.strips(), H,
            UnitWeightSums<Cell, Deltas>{H, rows, kept.slots, deltas, kept.before.c, of_bias});
        add_strips(work_.unit_numbers(), rows, of_bias, work_.of_units);
      }
    });
  }

  /// Of the same rows, whose deltas are those of products.
  void add_products(const PackedRows& packed, const Span& block,
                    const GeneralHistory<Cell, Stored>& kept, const Matrix<const Stored>& x,
                    const Stored* deltas, const Stored* d_products) {
    for_runs(packed, block, [&](const SummedRows& rows) {
      for (index owner = 0; owner < rows.owners(); ++owner) {
        add_products(owner, rows.of_owner(owner), kept, x, deltas, d_products);
      }
    });
  }

  void give() {
    const index H = work_.dims.units;
    const index of_parts = work_.part_numbers();
    constexpr index of_gates = Cell::gates;
    constexpr index of_norms = norm_rows<Cell>();
    for (int p = 0; p < Cell::parts; ++p) {
      const PartArrays<Cell, Stored> of(work_.wanted, p, H);
      const T* const bias = work_.bias + delta_part<Cell>(p) * H;
      give(H, bias, of_parts, of.b_ih, (has_bias_of_norm(p) ? of_norms : of_gates) * H);
      give(H, bias, of_parts, of.b_hh, of_gates * H);
      if (of.gain) give(H, work_.gain + p * H, of_parts, of.gain, of_norms * H);
    }
    if (wants(WeightId::w_ih)) {
      work_.sums.for_input_parts([&](const T* from, index given, index count) {
        give(count, from, work_.sums.input_numbers(), to(WeightId::w_ih) + given,
             of_gates * H * work_.dims.inputs);
      });
    }
    if (wants(WeightId::w_hh)) {
      work_.sums.for_recurrent_parts([&](int phase, const T* from, index given, index count) {
        give(count, from, work_.sums.recurrent_numbers(phase), to(WeightId::w_hh) + given,
             of_gates * H * outputs_of(work_.dims));
      });
    }
    const index of_projection = work_.projection_numbers();
    give(of_projection, work_.w_hr, of_projection, to(WeightId::w_hr), of_projection);
    const index of_units = work_.unit_numbers();
    give(of_units, work_.of_units, of_units, to(WeightId::of_units), of_units);
  }

 private:
  Stored* to(WeightId id) const { return work_.wanted[id]; }
  bool wants(WeightId id) const { return to(id) != nullptr; }

  /// Whether the bias of a part is a norm's, beside its gain.
  static constexpr bool has_bias_of_norm(int part) {
    if constexpr (NormalizesMemory<Cell>) return part == Cell::memory_part;
    return false;
  }

  /// body(rows that are summed at once), from the last: all of a block, or where sequences are on
  /// their own those of steps that as many take.
  template <class Body>
  void for_runs(const PackedRows& packed, const Span& block, Body&& body) const {
    if (work_.owners == 1) return body(SummedRows{0, packed.count(block), 0});
    for (index end = block.end; end > block.begin;) {
      const index active = packed.active(end - 1);
      index begin = end - 1;
      while (begin > block.begin && packed.active(begin - 1) == active) --begin;
      body(SummedRows{packed.count({block.begin, begin}), packed.count({begin, end}), active});
      end = begin;
    }
  }

  void add_products(index owner, const Strip& rows, const GeneralHistory<Cell, Stored>& kept,
                    const Matrix<const Stored>& x, const Stored* deltas, const Stored* d_products) {
    const index H = work_.dims.units;
    const index R = outputs_of(work_.dims);
    if (wants(WeightId::w_ih)) {
      add_product(Cell::input, rows, deltas, x, work_.dims.inputs,
                  work_.sums.w_ih + owner * work_.sums.input_numbers());
    }
    for (int phase = 0; wants(WeightId::w_hh) && phase < Cell::phases; ++phase) {
      add_product(Cell::phase[phase], rows, deltas, {kept.operand[phase], R}, R,
                  work_.sums.w_hh[phase] + owner * work_.sums.recurrent_numbers(phase));
    }
    if (!work_.dims.projection || !wants(WeightId::w_hr)) return;
    device_.multiply(
        Product<Stored>{R,
                        H,
                        rows.count,
                        {d_products + rows.first * R, rows.apart * R, Turn::transposed},
                        {kept.m + rows.first * H, rows.apart * H},
                        {work_.w_hr + owner * work_.projection_numbers(), H},
                        Sum::added});
  }

  void add_product(Range parts, const Strip& rows, const Stored* deltas,
                   const Matrix<const Stored>& operand, index width, T* sum) {
    const index H = work_.dims.units;
    const index of_row = Cell::parts * H;
    device_.multiply(Product<Stored>{
        parts.count() * H,
        width,
        rows.count,
        {deltas + rows.first * of_row + parts.begin * H, rows.apart * of_row, Turn::transposed},
        {operand.first + rows.first * operand.stride, rows.apart * operand.stride},
        {sum, width},
        Sum::added});
  }

  /// Of all owners, so many numbers each.
  void clear(index count, T* array) {
    if (array) copy_array(device_, work_.owners * count, static_cast<const T*>(nullptr), array);
  }
  void add_strips(index count, const SummedRows& rows, const T* from, T* sum) {
    const index numbers = rows.owners() * count;
    run_elements(device_, 1, numbers,
                 AddSegments<T>{numbers, rows.strips() / rows.owners(), from, sum});
  }
  void give(index count, const T* from, index from_apart, Stored* to, index to_apart) {
    if (!to) return;
    run_elements(device_, work_.owners, count,
                 GiveSums<T, Stored>{count, owners_, from, from_apart, to, to_apart});
  }

  Device& device_;
  const WeightSumsWork<Cell, Stored>& work_;
  const StepRows owners_;
};

}  // namespace
}  // namespace rnnfast
