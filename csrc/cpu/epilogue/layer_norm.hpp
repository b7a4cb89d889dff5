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

#include "cpu/layout/norm_weights.hpp"

namespace rnnfast {
namespace {

/// As in PyTorch.
template <class T>
constexpr T norm_epsilon = static_cast<T>(1e-5);

inline float square_root(float x) { return __builtin_sqrtf(x); }
inline double square_root(double x) { return __builtin_sqrt(x); }

/// A sum over the units and `parts` of a row: one for each part and each lane of the widest vector,
/// so that all instruction sets add in the same order.
template <class T, int parts>
class RowSum {
  static constexpr int vectors = widest_vector_bytes / vector_bytes;
  static constexpr int N = static_cast<int>(lanes<T>);

 public:
  /// Of part number `part`, and the u-th group of a panel. Both are known when this is compiled, so
  /// that the sums stay in registers, and are chains enough to overlap.
  [[gnu::always_inline]] void add(int part, int u, Vec<T> v) {
    sums_[part][u % vectors] = sums_[part][u % vectors] + v;
  }

  T total() const {
    T lane[vectors * N];
    for (int i = 0; i < vectors; ++i) {
      Vec<T> sum = sums_[0][i];
      for (int part = 1; part < parts; ++part) sum = sum + sums_[part][i];
      store(lane + i * N, sum);
    }
    for (int half = vectors * N / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) lane[i] = lane[i] + lane[i + half];
    }
    return lane[0];
  }

 private:
  Vec<T> sums_[parts][vectors] = {};
};

/// body(panel, u) for all groups of a row, the inner loop unrolled.
template <class L, class Body>
[[gnu::always_inline]] inline void for_each_group(const L& layout, Body&& body) {
  for (index panel = 0; panel < layout.panels(); ++panel) {
    const index width = layout.width(panel);
#pragma GCC unroll 8
    for (int u = 0; u < static_cast<int>(L::U); ++u) {
      if (u < width) body(panel, u);
    }
  }
}

/// `body` for each of some parts, unrolled.
template <Range parts, class Body>
[[gnu::always_inline]] inline void for_each_part(Body&& body) {
#pragma GCC unroll 8
  for (int p = parts.begin; p < parts.end; ++p) body(p);
}

/// A private row of a state, as one of slots of a single part.
template <class T, class L>
struct StateRow {
  struct Group {
    const T* first;
    const T* part(int) const { return first; }
  };
  const T* first;

  Group group(index panel, int u) const { return {first + (panel * L::U + u) * lanes<T>}; }
};

template <class T>
struct Moments {
  T mean;
  T scale;

  Vec<T> normalize(Vec<T> v) const { return (v - broadcast(mean)) * broadcast(scale); }
};

/// Of parts of a row, in which units past H are zero.
template <Range parts, class T, class L, class Row>
inline Moments<T> moments_of(const L& layout, const Row& row) {
  const T count = static_cast<T>(layout.units * parts.count());
  RowSum<T, parts.count()> sum;
  for_each_group(layout, [&](index panel, int u) {
    const auto slot = row.group(panel, u);
    for_each_part<parts>([&](int p) { sum.add(p - parts.begin, u, load<T>(slot.part(p))); });
  });
  const T mean = sum.total() / count;
  RowSum<T, parts.count()> squares;
  for_each_group(layout, [&](index panel, int u) {
    const auto slot = row.group(panel, u);
    const index valid = layout.valid(panel * L::U + u);
    for_each_part<parts>([&](int p) {
      const Vec<T> off = load<T>(slot.part(p)) - broadcast(mean);
      const Vec<T> within = valid == lanes<T> ? off : keep_first(off, valid);
      squares.add(p - parts.begin, u, within * within);
    });
  });
  return {mean, T(1) / square_root(squares.total() / count + norm_epsilon<T>)};
}

/// N of some of a group's parts, from v^.
template <Range parts, class Shape, class T>
inline void scale_and_shift(const NormWeights<Shape, T>& weights, index group,
                            Vec<T> (&part)[Shape::parts]) {
  const auto gain = weights.gains().group(0, group);
  const auto bias = weights.biases().group(0, group);
  for_each_part<parts>(
      [&](int p) { part[p] = fma(load<T>(gain.part(p)), part[p], load<T>(bias.part(p))); });
}

/// The parts of either product: all but that of c.
template <class Shape>
constexpr Range product_parts = {Shape::phase[0].begin, Shape::input.end};

/// From dN of parts that were normalized together to dv: calls sink(group, part, dv) for each.
template <Range parts, class Shape, class T, class Sink>
inline void back_through_norm(const NormWeights<Shape, T>& weights, T scale,
                              const SlotRow<Shape, T>& normalized, const SlotRow<Shape, T>& deltas,
                              Sink&& sink) {
  using V = Vec<T>;
  const auto& layout = weights.layout;
  const SlotRow<Shape, T> gains = weights.gains().row(0);
  // body(group, u, part, dv^, v^)
  const auto for_each = [&](auto&& body) {
    for_each_group(layout, [&](index panel, int u) {
      const auto gain = gains.group(panel, u);
      const auto from = normalized.group(panel, u);
      const auto delta = deltas.group(panel, u);
      for_each_part<parts>([&](int p) {
        const V d = load<T>(gain.part(p)) * load<T>(delta.part(Shape::delta_of[p]));
        body(panel * Layout<Shape, T>::U + u, u, p, d, load<T>(from.part(p)));
      });
    });
  };
  RowSum<T, parts.count()> straight;
  RowSum<T, parts.count()> along;
  for_each([&](index, int u, int p, V d, V v) {
    straight.add(p - parts.begin, u, d);
    along.add(p - parts.begin, u, d * v);
  });
  const T count = static_cast<T>(layout.units * parts.count());
  const V mean = broadcast(straight.total() / count);
  const V slope = broadcast(along.total() / count);
  for_each([&](index group, int, int p, V d, V v) {
    const V dv = broadcast(scale) * (d - mean - v * slope);
    const index valid = layout.valid(group);
    sink(group, p, valid == lanes<T> ? dv : keep_first(dv, valid));
  });
}

/// A number known to the compiler.
template <int n>
struct Constant {
  static constexpr int value = n;
};

/// body(Constant<n>()) for all norms of a cell.
template <class Shape, int n = 0, class Body>
inline void for_each_norm(Body&& body) {
  if constexpr (n < Shape::norms) {
    body(Constant<n>());
    for_each_norm<Shape, n + 1>(body);
  }
}

}  // namespace
}  // namespace rnnfast
