// The cell's own part of the backward pass with layer normalization, row by row:
//
//   dL/dc through the norm of c;  deltas of the parts as the cell sees them;  deltas of the
//   recurrent product, through its norm
//
// Those of the input product follow once a chunk (cpu/backward/norm_products.hpp).
#pragma once

#include "cpu/backward/cell_backward.hpp"
#include "cpu/backward/norm_products.hpp"

namespace rnnfast {
namespace {

template <class Cell, class T>
class NormalizedBackwardOf final : public CellBackward<typename Cell::Shape, T> {
  using Shape = typename Cell::Shape;
  using Context = BackwardContext<Shape, T>;
  using L = Layout<Shape, T>;
  using V = Vec<T>;

 public:
  explicit NormalizedBackwardOf(const ActivationChoice* activations)
      : CellBackward<Shape, T>(this), cell_{{}, decltype(Cell::act)(activations)} {}

  void step(const Context& of, const Slots<Shape, T>& deltas, const BackwardStep& step,
            Span) const {
    of.call.masks.kept_h.data ? rows_backward<Zoneout<T>>(of, deltas, step)
                              : rows_backward<NoZoneout<T>>(of, deltas, step);
  }
  void projected_step(const Context&, const Slots<Shape, T>&, const BackwardStep&, Span) const {}
  void unstage(const Context&, const Slots<Shape, T>&, const BackwardStep&, Span) const {}

 private:
  template <class Zone>
  [[gnu::flatten]] void rows_backward(const Context& of, const Slots<Shape, T>& deltas,
                                      const BackwardStep& at) const {
    const index step = at.number;
    for (index r = at.rows.begin; r < at.rows.end; ++r) {
      const SlotRow<Shape, T> normalized = normalized_row(of, step, r);
      const SlotRow<Shape, T> delta = deltas.row(at.first_row + of.work.places[r]);
      const Zone zone(of.call.masks, of.work.sequences[r], step);
      if constexpr (NormalizesMemory<Shape>) output_backward(of, step, r, normalized, delta, zone);
      gates_backward(of, step, r, normalized, delta, zone);
      back_through<Shape::phase[0]>(of, step, r, normalized, delta);
    }
  }

  /// Parts as the cell sees them, and its gates.
  void parts_and_gates(const Context& of, const SlotRow<Shape, T>& normalized, index group,
                       V (&part)[L::P], V (&gate)[Shape::gates]) const {
    const auto from = normalized.group(group);
    for (int p = 0; p < L::P; ++p) part[p] = load<T>(from.part(p));
    scale_and_shift<Range{0, L::P}>(of.work.norm, group, part);
    cell_.activate(part, gate);
  }

  static V dh_with_dy(const Context& of, index step, index r, index group) {
    const L& layout = of.work.layout;
    const T* const dh = of.work.dh + of.work.d_rows[r] * layout.row();
    return load(dh + group * L::N) +
           load_group(of.dy_at(of.work.sequences[r], step), layout, group);
  }

  /// From dL/dh to what is added to dL/dc. Leaves in dh what passes the step by; and that of c, and
  /// the gates, in parts of the deltas that are not known yet.
  template <class Zone>
  void output_backward(const Context& of, index step, index r, const SlotRow<Shape, T>& normalized,
                       const SlotRow<Shape, T>& deltas, const Zone& zone) const {
    const L& layout = of.work.layout;
    const index d_at = of.work.d_rows[r] * layout.row();
    for (index group = 0; group < layout.groups(); ++group) {
      V part[L::P];
      V gate[Shape::gates];
      parts_and_gates(of, normalized, group, part, gate);
      State<V> d = {dh_with_dy(of, step, r, group), load(of.work.dc + d_at + group * L::N)};
      const State<V> passed = zone.split(d, layout, group);
      V delta[L::P] = {};
      cell_.backward_output(gate, part[Shape::memory_part], d.h, delta);
      delta[Shape::input.begin] = passed.c;
      for (int g = 0; g < Shape::gates; ++g) delta[Shape::phase[0].begin + g] = gate[g];
      store_deltas<Shape, T>(deltas.group(group), {0, L::P}, delta, layout.valid(group));
      State<V> past = {V{}, V{}};
      zone.add(past, passed);
      store(of.work.dh + d_at + group * L::N, past.h);
      store(of.work.dc + d_at + group * L::N, d.c);
    }
    constexpr Range memory = {Shape::memory_part, Shape::memory_part + 1};
    back_through_norm<memory>(of.work.norm, scales_at(of, step, r)[Shape::norms], normalized,
                              deltas, [&](index group, int, V d) {
                                T* const dc = of.work.dc + d_at + group * L::N;
                                store(dc, load(dc) + d);
                              });
  }

  template <class Zone>
  void gates_backward(const Context& of, index step, index r, const SlotRow<Shape, T>& normalized,
                      const SlotRow<Shape, T>& deltas, const Zone& zone) const {
    const L& layout = of.work.layout;
    const index at = of.work.state_rows[r] * layout.row();
    const index d_at = of.work.d_rows[r] * layout.row();
    for (index group = 0; group < layout.groups(); ++group) {
      V part[L::P];
      V gate[Shape::gates];
      State<V> prev = {load(of.history.h_at(step) + at + group * L::N), V{}};
      State<V> d = {V{}, V{}};
      State<V> passed = {V{}, V{}};
      V delta[L::P];
      const auto slot = deltas.group(group);
      if constexpr (NormalizesMemory<Shape>) {
        for (int g = 0; g < Shape::gates; ++g)
          gate[g] = load<T>(slot.part(Shape::phase[0].begin + g));
        prev.c = load(of.history.c_at(step) + at + group * L::N);
        d.c = load(of.work.dc + d_at + group * L::N);
        passed = {load(of.work.dh + d_at + group * L::N), load<T>(slot.part(Shape::input.begin))};
        for (int p = Shape::input.begin + 1; p < L::P; ++p) delta[p] = load<T>(slot.part(p));
      } else {
        parts_and_gates(of, normalized, group, part, gate);
        d.h = dh_with_dy(of, step, r, group);
        passed = zone.split(d, layout, group);
      }
      cell_.backward(part, gate, prev, d, delta);
      store_deltas<Shape, T>(slot, {Shape::input.begin, L::P}, delta, layout.valid(group));
      store(of.work.dh + d_at + group * L::N, d.h + passed.h);
      if constexpr (Shape::has_memory) store(of.work.dc + d_at + group * L::N, d.c + passed.c);
    }
  }

  const Cell cell_;
};

}  // namespace
}  // namespace rnnfast
