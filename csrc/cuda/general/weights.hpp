// Weights in the order of a slot's parts, so that a product feeds adjacent parts at once.
#pragma once

#include "call/weights.hpp"
#include "cuda/general/device.hpp"
#include "cuda/norm.hpp"

namespace rnnfast {
namespace {

/// to = a + b; null: zero.
template <class From, class To>
struct AddArrays {
  using T = ScalarOf<To>;
  index count;
  const From* a;
  const From* b;
  To* to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, count);
    if (!own.is_there()) return;
    const T of_a = a ? load_as<T>(m, a + own.at) : T(0);
    const T of_b = b ? load_as<T>(m, b + own.at) : T(0);
    store_as(m, to + own.at, of_a + of_b);
  }
};

/// to = a, `count` numbers; null: zero.
template <class Device, class From, class To>
inline void copy_array(Device& device, index count, const From* from, To* to) {
  run_elements(device, 1, count, AddArrays<From, To>{count, from, nullptr, to});
}

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

template <class Cell, class Stored>
struct PackedWeights {
  using T = ScalarOf<Stored>;
  Stored* w_ih;                // (input parts, H, I)
  Stored* w_hh[Cell::phases];  // (parts of the phase, H, R)
  const Stored* w_hr;          // (R, H); null: h is not projected
  T* bias;                     // (P, H)
  T* gain;                     // (P, H), of norms
  const T* of_units;           // (U, H)

  template <class Device>
  PackedWeights(Device& device, const Dims& dims, const WeightSet<const Stored>& from) {
    const index H = dims.units;
    w_ih = packed(device, Cell::input, H, dims.inputs, from[WeightId::w_ih]);
    for (int phase = 0; phase < Cell::phases; ++phase) {
      w_hh[phase] = packed(device, Cell::phase[phase], H, outputs_of(dims), from[WeightId::w_hh]);
    }
    w_hr = from[WeightId::w_hr];
    bias = device.template take<T>(Cell::parts * H);
    gain = device.template take<T>(Cell::parts * H);
    for (int p = 0; p < Cell::parts; ++p) {
      const PartArrays<Cell, const Stored> of(from, p, H);
      run_elements(device, 1, H, AddArrays<Stored, T>{H, of.b_ih, of.b_hh, bias + p * H});
      copy_array(device, H, of.gain, gain + p * H);
    }
    constexpr int count = unit_weights_of<Cell>();
    T* const units = count ? device.template take<T>(count * H) : nullptr;
    if (count) copy_array(device, count * H, from[WeightId::of_units], units);
    of_units = units;
  }

  NormArrays<T> norm() const { return {gain, bias}; }

 private:
  template <class Device>
  static Stored* packed(Device& device, Range parts, index units, index width, const Stored* from) {
    Stored* const to = device.template take<Stored>(parts.count() * units * width);
    for_parts<Cell>(parts, units, width, [&](index own, index given, index count) {
      copy_array(device, count, from + given, to + own);
    });
    return to;
  }
};

}  // namespace
}  // namespace rnnfast
