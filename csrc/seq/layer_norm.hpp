// Layer normalization (Ba, Kiros and Hinton 2016) of parts of a row, or of c:
//
//   v^ = scale (v - mean(v))        scale = 1 / sqrt(mean((v - mean(v))^2) + epsilon)
//   N  = gain v^ + bias
//
//   dv = scale (dv^ - mean(dv^) - v^ mean(dv^ v^)),   dv^ = gain dN
//
// The mean is over the units of a row and the parts that are normalized together. Every sum runs in
// an order that depends on the sizes alone.
#pragma once

#include "base/threads.hpp"
#include "base/view.hpp"
#include "seq/layout.hpp"

namespace rnnfast {
namespace {

/// As in PyTorch.
template <class T>
constexpr T norm_epsilon = static_cast<T>(1e-5);

inline float square_root(float x) { return __builtin_sqrtf(x); }
inline double square_root(double x) { return __builtin_sqrt(x); }

/// A sum over the units of a row: one for each lane of the widest vector, so that all instruction
/// sets add in the same order.
template <class T>
class RowSum {
  static constexpr int vectors = widest_vector_bytes / vector_bytes;
  static constexpr int N = static_cast<int>(lanes<T>);

 public:
  void add(index group, Vec<T> v) { sums_[group % vectors] = sums_[group % vectors] + v; }

  T total() const {
    T lane[vectors * N];
    for (int i = 0; i < vectors; ++i) store(lane + i * N, sums_[i]);
    for (int half = vectors * N / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) lane[i] = lane[i] + lane[i + half];
    }
    return lane[0];
  }

 private:
  Vec<T> sums_[vectors] = {};
};

/// Parts of a row of slots, group by group: vectors `v` of which units past H are no part.
template <class Cell, class T>
struct SlotRow {
  using L = Layout<Cell, T>;
  Slots<Cell, T> slots;
  index row;

  typename Slots<Cell, T>::Group group(index g) const { return slots.group(row, g); }

  /// body(group, vector), part after part within a group.
  template <class Body>
  void for_each(Range parts, Body&& body) const {
    for (index g = 0; g < slots.layout.groups(); ++g) {
      const auto slot = group(g);
      for (int p = parts.begin; p < parts.end; ++p) body(g, load<T>(slot.part(p)));
    }
  }
};

/// A private row of a state, likewise.
template <class T, class L>
struct StateRow {
  const L& layout;
  const T* first;

  template <class Body>
  void for_each(Range, Body&& body) const {
    for (index g = 0; g < layout.groups(); ++g) body(g, load(first + g * lanes<T>));
  }
};

template <class T>
struct Moments {
  T mean;
  T scale;

  Vec<T> normalize(Vec<T> v) const { return (v - broadcast(mean)) * broadcast(scale); }
};

template <class T, class L, class Row>
inline Moments<T> moments_of(const L& layout, const Row& row, Range parts) {
  const T count = static_cast<T>(layout.units * parts.count());
  RowSum<T> sum;
  row.for_each(parts, [&](index g, Vec<T> v) { sum.add(g, v); });
  const T mean = sum.total() / count;
  RowSum<T> squares;
  row.for_each(parts, [&](index g, Vec<T> v) {
    const Vec<T> off = keep_first(v - broadcast(mean), layout.valid(g));
    squares.add(g, off * off);
  });
  return {mean, T(1) / square_root(squares.total() / count + norm_epsilon<T>)};
}

/// Gains and biases of all parts, where the slots have them.
template <class Cell, class T>
struct NormWeights {
  using L = Layout<Cell, T>;
  L layout;
  T* gain = nullptr;  // [panel][P][U][N]
  T* bias = nullptr;  // the same

  void place(Bump& bump) {
    gain = bump.take<T>(layout.slots(1));
    bias = bump.take<T>(layout.slots(1));
  }

  Slots<Cell, T> gains() const { return {layout, gain, 1}; }
  Slots<Cell, T> biases() const { return {layout, bias, 1}; }

  /// The rows of the caller's arrays that belong to a part: of the gains, and of its bias.
  template <class Element>
  struct Rows {
    Element* gain;
    Element* bias;  // null: none
  };
  template <class Element, class Arrays>
  Rows<Element> rows_of(const Arrays& arrays, int part) const {
    const index H = layout.units;
    const index gate = Cell::gate_of[part] * H;
    Element* const gains = arrays.layer_norm;
    const auto after = [](Element* array, index at) { return array ? array + at : nullptr; };
    if (Cell::input.has(part)) return {after(gains, gate), after(arrays.b_ih, gate)};
    if (Cell::phase[0].has(part)) {
      return {after(gains, Cell::gates * H + gate), after(arrays.b_hh, gate)};
    }
    if constexpr (NormalizesMemory<Cell>) {
      return {after(gains, 2 * Cell::gates * H), after(gains, (2 * Cell::gates + 1) * H)};
    }
    return {nullptr, nullptr};
  }

  /// Packs this worker's share of groups.
  void pack(const Weights<T>& weights, const Worker& worker) const {
    const Span own = share(layout.groups(), worker.id, worker.count);
    for (index g = own.begin; g < own.end; ++g) {
      const auto to_gain = gains().group(0, g);
      const auto to_bias = biases().group(0, g);
      for (int p = 0; p < Cell::parts; ++p) {
        const auto from = rows_of<const T>(weights, p);
        store(to_gain.part(p), read(from.gain, g));
        store(to_bias.part(p), read(from.bias, g));
      }
    }
  }

 private:
  Vec<T> read(const T* from, index g) const {
    return from ? load_group(from, layout, g) : Vec<T>{};
  }
};

/// N of a group's parts, from v^.
template <class Cell, class T>
inline void scale_and_shift(const NormWeights<Cell, T>& weights, index group,
                            Vec<T> (&part)[Cell::parts]) {
  const auto gain = weights.gains().group(0, group);
  const auto bias = weights.biases().group(0, group);
  for (int p = 0; p < Cell::parts; ++p) {
    part[p] = fma(load<T>(gain.part(p)), part[p], load<T>(bias.part(p)));
  }
}

/// From dN of parts that were normalized together to dv: calls sink(group, part, dv) for each.
template <class Cell, class T, class Sink>
inline void back_through_norm(const NormWeights<Cell, T>& weights, Range parts, T scale,
                              const SlotRow<Cell, T>& normalized, const SlotRow<Cell, T>& deltas,
                              Sink&& sink) {
  using V = Vec<T>;
  const auto& layout = weights.layout;
  const auto for_each = [&](auto&& body) {
    for (index g = 0; g < layout.groups(); ++g) {
      const auto gain = weights.gains().group(0, g);
      const auto from = normalized.group(g);
      const auto delta = deltas.group(g);
      for (int p = parts.begin; p < parts.end; ++p) {
        body(g, p, load<T>(gain.part(p)) * load<T>(delta.part(Cell::delta_of[p])),
             load<T>(from.part(p)));
      }
    }
  };
  RowSum<T> straight;
  RowSum<T> along;
  for_each([&](index g, int, V d, V v) {
    straight.add(g, d);
    along.add(g, d * v);
  });
  const T count = static_cast<T>(layout.units * parts.count());
  const V mean = broadcast(straight.total() / count);
  const V slope = broadcast(along.total() / count);
  for_each([&](index g, int p, V d, V v) {
    const V dv = broadcast(scale) * (d - mean - v * slope);
    sink(g, p, keep_first(dv, layout.valid(g)));
  });
}

}  // namespace
}  // namespace rnnfast
