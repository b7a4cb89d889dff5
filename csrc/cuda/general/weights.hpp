// Weights in the order of a slot's parts, so that a product feeds adjacent parts at once.
#pragma once

#include "call/weights.hpp"
#include "cuda/general/device.hpp"
#include "cuda/norm.hpp"

namespace rnnfast {
namespace {

/// The caller's rows, H of them or as many numbers, that belong to a part.
template <class Cell, class T>
struct PartArrays {
  T* b_ih;
  T* b_hh;
  T* gain;

  PartArrays(const WeightSet<T>& of, int part, index units) {
    const index gate = Cell::gate_of[part] * units;
    const auto after = [](T* array, index at) { return array ? array + at : nullptr; };
    T* const norms = of[WeightId::of_norms];
    b_ih = Cell::input.has(part) ? after(of[WeightId::b_ih], gate) : nullptr;
    b_hh = nullptr;
    for (const Range& phase : Cell::phase) {
      if (phase.has(part)) b_hh = after(of[WeightId::b_hh], gate);
    }
    gain = nullptr;
    if (!norms) return;
    if (Cell::input.has(part)) gain = norms + gate;
    if (Cell::phase[0].has(part)) gain = norms + Cell::gates * units + gate;
    if constexpr (NormalizesMemory<Cell>) {
      if (part != Cell::memory_part) return;
      gain = norms + 2 * Cell::gates * units;
      b_ih = norms + (2 * Cell::gates + 1) * units;
    }
  }
};

/// body(part, its place among those of a range, where its H rows of `width` numbers begin)
template <class Cell, class Body>
inline void for_parts(Range parts, index units, index width, Body&& body) {
  for (int p = parts.begin; p < parts.end; ++p) {
    const index rows = units * width;
    body((p - parts.begin) * rows, Cell::gate_of[p] * rows, rows);
  }
}

/// Biases of all parts and gains of those that are normalized.
template <class Cell, class Stored>
struct PackedNorms {
  using T = ScalarOf<Stored>;
  index units;
  T* bias = nullptr;  // (P, H)
  T* gain = nullptr;  // (P, H)

  template <class Memory>
  void place(Memory& memory) {
    bias = memory.template take<T>(Cell::parts * units);
    if constexpr (Normalized<Cell>) gain = memory.template take<T>(Cell::parts * units);
  }

  template <class Device>
  void pack(Device& device, const WeightSet<const Stored>& from) const {
    for (int p = 0; p < Cell::parts; ++p) {
      const PartArrays<Cell, const Stored> of(from, p, units);
      run_elements(device, 1, units,
                   AddArrays<Stored, T>{units, of.b_ih, of.b_hh, bias + p * units});
      if constexpr (Normalized<Cell>) copy_array(device, units, of.gain, gain + p * units);
    }
  }

  NormArrays<T> arrays() const { return {gain, bias}; }
};

/// Matrices of numbers, or what else has their sizes: gradients, some copies one after the other.
template <class Cell, class Number>
struct PackedMatrices {
  Dims dims;
  index copies = 1;
  Number* w_ih = nullptr;           // (input parts, H, I)
  Number* w_hh[Cell::phases] = {};  // (parts of the phase, H, R)

  template <class Memory>
  void place(Memory& memory) {
    w_ih = memory.template take<Number>(copies * input_numbers());
    for (int phase = 0; phase < Cell::phases; ++phase) {
      w_hh[phase] = memory.template take<Number>(copies * recurrent_numbers(phase));
    }
  }

  // Of one of them.
  index input_numbers() const { return Cell::input.count() * dims.units * dims.inputs; }
  index recurrent_numbers(int phase) const {
    return Cell::phase[phase].count() * dims.units * outputs_of(dims);
  }

  /// body(what a part has in the first copy, where the caller's begins, count) for those of w_ih,
  /// and with the phase before them for those of w_hh.
  template <class Body>
  void for_input_parts(Body&& body) const {
    for_parts<Cell>(Cell::input, dims.units, dims.inputs,
                    [&](index own, index given, index count) { body(w_ih + own, given, count); });
  }
  template <class Body>
  void for_recurrent_parts(Body&& body) const {
    for (int phase = 0; phase < Cell::phases; ++phase) {
      for_parts<Cell>(Cell::phase[phase], dims.units, outputs_of(dims),
                      [&](index own, index given, index count) {
                        body(phase, w_hh[phase] + own, given, count);
                      });
    }
  }
};

template <class Cell, class Stored>
struct PackedWeights {
  using T = ScalarOf<Stored>;
  Dims dims;  // without T and B
  PackedMatrices<Cell, Stored> matrices;
  PackedNorms<Cell, Stored> norms;
  Stored* w_hr = nullptr;  // (R, H); null: h is not projected
  T* of_units = nullptr;   // (U, H)

  explicit PackedWeights(const Dims& dims) : dims(dims), matrices{dims}, norms{dims.units} {}

  template <class Memory>
  void place(Memory& memory) {
    matrices.place(memory);
    norms.place(memory);
    if (dims.projection) w_hr = memory.template take<Stored>(dims.projection * dims.units);
    if (unit_numbers()) of_units = memory.template take<T>(unit_numbers());
  }

  template <class Device>
  void pack(Device& device, const WeightSet<const Stored>& from) const {
    matrices.for_input_parts([&](Stored* to, index given, index count) {
      copy_array(device, count, from[WeightId::w_ih] + given, to);
    });
    matrices.for_recurrent_parts([&](int, Stored* to, index given, index count) {
      copy_array(device, count, from[WeightId::w_hh] + given, to);
    });
    norms.pack(device, from);
    if (w_hr) copy_array(device, dims.projection * dims.units, from[WeightId::w_hr], w_hr);
    if (of_units) copy_array(device, unit_numbers(), from[WeightId::of_units], of_units);
  }

 private:
  index unit_numbers() const { return unit_weights_of<Cell>() * dims.units; }
};

}  // namespace
}  // namespace rnnfast
