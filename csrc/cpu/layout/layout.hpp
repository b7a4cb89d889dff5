// Where things lie. One layout serves gates, their pre-activations and their deltas:
//
//   [chunk][panel][rows][P][U][N]
//
// A group is N adjacent hidden units; a panel is U groups (the last one may be narrower), chosen so
// that a phase's parts fill a tile; a row is one (step, sequence) of the chunk; a slot is a row of
// a panel: P parts of U groups. The slots of a panel are at once the C of the recurrent product,
// the A of the products with deltas, and the B of the weight gradients.
#pragma once

#include "base/arena.hpp"
#include "cells/cell.hpp"
#include "gemm/loops.hpp"

namespace rnnfast {
namespace {

/// Elements of a private row of `units`: whole vectors, and an odd number of cache lines, since
/// rows a power of two apart would fall into the same cache sets.
template <class T>
constexpr index padded_row(index units) {
  constexpr index line = static_cast<index>(cache_line / sizeof(T));
  const index padded = round_up(round_up(units, lanes<T>), line);
  return padded / line % 2 == 0 ? padded + line : padded;
}

/// Bytes of the widest vector of any instruction set: what must be alike on all goes by it.
constexpr int widest_vector_bytes = 64;

/// A row of units by itself, in groups of N.
template <class T>
struct RowLayout {
  static constexpr index N = lanes<T>;

  index units = 0;
  index groups() const { return ceil_div(units, N); }
  /// Units of group g that exist: N, fewer in the last.
  index valid(index group) const { return smaller(N, units - group * N); }
  /// Elements of a private row.
  index row() const { return padded_row<T>(units); }
};

template <class Shape, class T>
struct Layout : RowLayout<T> {
  using Row = RowLayout<T>;
  using Row::groups;
  using Row::N;
  static constexpr index P = Shape::parts;

  /// U: groups that make the first phase's parts a multiple of the tile's width (3 parts of 64
  /// bytes fill an 8x3 tile as well as 4 fill a 6x4). A panel is as many units on every instruction
  /// set, because products with deltas sum over k in the order of its parts: hence the same bits on
  /// all.
  static constexpr index groups_per_panel() {
    constexpr int parts = Shape::phase[0].count();
    return (parts >= 3 ? 1 : 4 / parts) * (widest_vector_bytes / vector_bytes);
  }
  static constexpr index U = groups_per_panel();

  index panels() const { return ceil_div(groups(), U); }
  /// Groups of a panel: U, fewer in the last.
  index width(index panel) const { return smaller(U, groups() - panel * U); }
  /// Elements of a slot of a panel.
  index slot(index panel) const { return P * width(panel) * N; }
  /// Elements of all slots of `rows` rows.
  index slots(index rows) const { return rows * P * groups() * N; }
};

/// Whether a group of a private row is the first in its cache line.
template <class T>
constexpr bool begins_line(index group) {
  return group % (static_cast<index>(cache_line / sizeof(T)) / lanes<T>) == 0;
}

/// A group of a row of the caller's that is not padded.
template <class T, class L>
inline Vec<T> load_group(const T* row, const L& layout, index group) {
  const index valid = layout.valid(group);
  return valid == L::N ? load(row + group * L::N) : load_first(row + group * L::N, valid);
}

/// One group of a row of slots.
template <class T>
struct SlotGroup {
  T* first;
  index part_stride;
  T* part(int p) const { return first + p * part_stride; }
};

/// A row of slots in all panels, whose groups cost few instructions to find: what does little work
/// to each would not have many loads under way otherwise.
template <class Shape, class T>
struct SlotRow {
  using L = Layout<Shape, T>;
  static_assert((L::U & (L::U - 1)) == 0);
  T* base;
  index panel_stride;
  index parts_before;  // of the rows before, for each group of a panel
  index groups;

  SlotGroup<T> group(index group) const {
    const index u = group & (L::U - 1);
    const index begin = group - u;
    const index stride = smaller(L::U, groups - begin) * L::N;
    return {base + begin / L::U * panel_stride + parts_before * stride + u * L::N, stride};
  }
  /// The same, of the u-th group of a panel.
  SlotGroup<T> group(index panel, int u) const { return group(panel * L::U + u); }
};

/// The slots of one chunk of `rows` rows.
template <class Shape, class T>
struct Slots {
  using L = Layout<Shape, T>;
  L layout;
  T* base;
  index rows;

  /// Elements from one panel to the next.
  index panel_stride() const { return rows * L::P * L::U * L::N; }
  /// Slot of row 0 in a panel; the next row's is layout.slot(panel) on.
  T* panel(index panel) const { return base + panel * panel_stride(); }

  SlotRow<Shape, T> row(index row) const {
    return {base, panel_stride(), row * L::P, layout.groups()};
  }
  SlotGroup<T> group(index row, index group) const { return this->row(row).group(group); }
};

// Units past H have deltas of zero even where a row holds infinities: they meet other products'
// zero weights.
template <class Shape, class T>
inline void store_deltas(SlotGroup<T> slot, Range parts, const Vec<T> (&delta)[Shape::parts],
                         index valid) {
  for (int p = parts.begin; p < parts.end; ++p) {
    store(slot.part(p), valid == lanes<T> ? delta[p] : keep_first(delta[p], valid));
  }
}

/// Slots as operands of products: the same numbers in the same order, as elements of a format.
template <class Shape, class F>
struct OperandSlots {
  using L = Layout<Shape, typename F::Sum>;
  static_assert(L::N % F::group == 0);
  L layout;
  typename F::A* base;
  index rows;

  index panel_stride() const { return rows * L::P * L::U * L::N / F::group; }
  typename F::A* panel(index panel) const { return base + panel * panel_stride(); }
  index slot(index panel) const { return layout.slot(panel) / F::group; }
};

/// Some groups of a row of slots as operands, where they are not operands as they are.
template <class Shape, class F>
inline void make_operands(const Slots<Shape, typename F::Sum>& slots, index row,
                          const OperandSlots<Shape, F>& to, index to_row, Span groups) {
  if constexpr (rounds_operands<F>) {
    using L = Layout<Shape, typename F::Sum>;
    const auto from = slots.row(row);
    for (index group = groups.begin; group < groups.end; ++group) {
      const auto parts = from.group(group);
      const index panel = group / L::U;
      typename F::A* const operand =
          to.panel(panel) + to_row * to.slot(panel) + group % L::U * L::N / F::group;
      for (int p = 0; p < Shape::parts; ++p) {
        F::round(load(parts.part(p)), operand + p * parts.part_stride / F::group);
      }
    }
  }
}

/// The parts `range` of all panels' slots as the A of a product: K = panels x parts x units.
template <class Shape, class F>
struct SlotOperand {
  using L = Layout<Shape, typename F::Sum>;
  OperandSlots<Shape, F> slots;
  Range range;
  index first_row;       // within the chunk
  const index* numbers;  // of the rows, from there

  index full_panels() const { return slots.layout.groups() / L::U; }
  index elements(int parts, index width) const { return parts * width * L::N / F::group; }
  index run(index width) const { return elements(range.count(), width); }
  index panels_per_segment() const { return larger(1, k_block<F> / run(L::U)); }

  // Full panels in segments of about k_block, then the narrow one by itself.
  index segments() const {
    return ceil_div(full_panels(), panels_per_segment()) + (slots.layout.panels() - full_panels());
  }
  Segment<F> segment(index i) const {
    const index first = smaller(i * panels_per_segment(), full_panels());
    const bool narrow = first == full_panels();
    const index width = slots.layout.width(first);
    const index count = narrow ? 1 : smaller(panels_per_segment(), full_panels() - first);
    const index slot = slots.slot(first);
    return {{slots.panel(first) + first_row * slot + elements(range.begin, width), numbers, slot},
            {count, run(width), run(width), slots.panel_stride()},
            first * run(L::U)};
  }
};

/// 0, 1, 2, ...: the row numbers of an operand whose rows are evenly spaced.
inline void count_up(index* numbers, index count) {
  for (index i = 0; i < count; ++i) numbers[i] = i;
}

}  // namespace
}  // namespace rnnfast
