// The gradient of one weight matrix, and of the bias beside it:
//
//   dW[part, unit][column] = sum over t descending, b ascending of delta[t, b] operand[t, b]
//   db[part, unit]         = the same with an operand of ones
//
// The operand's columns are copied into strips [K][M], a column of ones after the last; the slots
// of the deltas are the packed B as they lie, or a panel of them at a time is brought into the
// format of B. Sums are [panel][column][V][N]. The sum runs in
// blocks whose edges come from T and B alone, each summed from zero and added in order, so that its
// bits depend on neither threads nor chunks, and long sums stay accurate.
#pragma once

#include "base/team.hpp"
#include "cpu/layout/layout.hpp"
#include "gemm/pack.hpp"

namespace rnnfast {
namespace {

constexpr index sum_block_rows = 512;

/// What a sum over steps holds before a block is added to it.
enum class SumSoFar { nothing, blocks };

template <class Shape, class F>
class WeightGradient {
  using T = typename F::Sum;
  using A = typename F::A;
  using B = typename F::B;
  using L = Layout<Shape, T>;
  using Deltas = OperandSlots<Shape, F>;

 public:
  WeightGradient() = default;
  /// For as many shares of the work.
  WeightGradient(const L& layout, Range range, index width, index longest_block, int shares,
                 bool wanted)
      : layout_(layout),
        range_(range),
        width_(width),
        strip_length_(strip_elements<F>(smaller(longest_block, sum_block_rows))),
        shares_(shares),
        M_(strip_columns<F>(range.count() * smaller(L::U, layout.groups()))),
        strips_(wanted ? ceil_div(width + 1, M_) : 0) {}

  void place(Bump& bump) {
    strip_memory_ = bump.take<A>(strips_ * strip_stride());
    sums_ = bump.take<T>(strips_ ? columns() * vector_elements() : 0);
    if (!rounds_operands<F>) return;
    panel_memory_ = bump.take<B>(strips_ ? shares_ * strip_length_ * widest_panel() : 0);
  }

  /// Strips to share among the workers; zero if nobody wants this gradient.
  index strips() const { return strips_; }

  /// Adds the rows [rows.begin, rows.end) of a chunk, one block, to some strips.
  void add_block(const Deltas& deltas, Rows<const T> operand, Span rows, Span strips,
                 SumSoFar so_far, const Share& own) const {
    const Pieces pieces(rows.size(), sum_block_rows);
    for (index piece = 0; piece < pieces.pieces; ++piece) {
      const Span part = pieces.at(piece);
      add_piece(deltas, operand, {rows.begin + part.begin, rows.begin + part.end}, strips,
                piece == 0 ? so_far : SumSoFar::blocks, own);
    }
  }

  /// Writes a share of the panels to dw (G*H, width) and db (G*H,), where given. Of a part
  /// that shares its gate with another of the range, there is none.
  [[gnu::noinline]] void unpack(T* dw, T* db, const Share& own) const {
    if (strips_ == 0) return;
    const Span panels = own.of(layout_.panels());
    for (index panel = panels.begin; panel < panels.end; ++panel) {
      const index stride = panel_elements(panel);
      const T* from = sums_ + panel * L::U * range_.count() * L::N * columns();
      for (int part = range_.begin; part < range_.end; ++part) {
        for (index u = 0; u < layout_.width(panel); ++u, from += L::N) {
          const index group = panel * L::U + u;
          const index row = Shape::gate_of[part] * layout_.units + group * L::N;
          const index valid = layout_.valid(group);
          if (dw) unpack_lanes(from, stride, valid, width_, dw + row * width_, width_);
          if (db) store_first(db + row, load(from + width_ * stride), valid);
        }
      }
      own.worked(stride * columns());
    }
  }

 private:
  index columns() const { return strips_ * M_; }
  index vector_elements() const { return layout_.groups() * range_.count() * L::N; }
  index panel_elements(index panel) const { return layout_.width(panel) * range_.count() * L::N; }
  T* sum(index panel, index strip) const {
    return sums_ + panel * L::U * range_.count() * L::N * columns() +
           strip * M_ * panel_elements(panel);
  }
  index widest_panel() const { return smaller(L::U, layout_.groups()) * range_.count() * L::N; }
  // A line more than there is: strips that are packed together would fall into one cache set.
  index strip_stride() const {
    return strip_length_ * M_ + static_cast<index>(cache_line / sizeof(A));
  }
  A* strip(index i) const { return strip_memory_ + i * strip_stride(); }

  [[gnu::noinline]] void add_piece(const Deltas& deltas, Rows<const T> operand, Span rows,
                                   Span strips, SumSoFar so_far, const Share& own) const {
    const Rows<const T> from = {operand.base, operand.offset + rows.begin, operand.stride};
    A* const to = strip(strips.begin);
    if constexpr (on_matrix_unit<F>) {
      pack_strips<F, tallest_tile<F>(1)>(from, rows.size(), strips, width_, to, strip_stride());
    } else {
      M_ == 8 ? pack_strips<F, 8>(from, rows.size(), strips, width_, to, strip_stride())
              : pack_strips<F, 6>(from, rows.size(), strips, width_, to, strip_stride());
    }
    for (index panel = 0; panel < layout_.panels(); ++panel) {
      const index vectors = range_.count() * layout_.width(panel);
      const RowsOfB b = rows_of(deltas, panel, rows, own);
      for (index i = strips.begin; i < strips.end; ++i) {
        T* const c = sum(panel, i);
        multiply_strip<F>(strip(i), M_, strip_elements<F>(rows.size()), b.first, b.stride, vectors,
                          so_far == SumSoFar::nothing ? nullptr : c, c);
      }
      own.worked(rows.size() * strips.size() * M_ * vectors * L::N);
    }
  }

  /// K of the deltas of a panel, one element after the other.
  struct RowsOfB {
    B* first;
    index stride;
  };

  /// Of a format whose elements are single rows: as they lie.
  RowsOfB rows_of(const Deltas& deltas, index panel, Span rows, const Share&) const
    requires(!rounds_operands<F>)
  {
    const index slot = deltas.slot(panel);
    return {deltas.panel(panel) + rows.begin * slot + range_.begin * layout_.width(panel) * L::N,
            slot};
  }

  /// Of one whose elements are several rows: in memory of a share.
  RowsOfB rows_of(const Deltas& deltas, index panel, Span rows, const Share& own) const
    requires rounds_operands<F>
  {
    static constexpr A none[L::N / F::group] = {};
    const index slot = deltas.slot(panel);
    const index group = layout_.width(panel) * L::N;
    const A* const from = deltas.panel(panel) + range_.begin * group / F::group;
    RowsOfB found = {panel_memory_ + own.id * strip_length_ * widest_panel(),
                     range_.count() * group};
    B* to = found.first;
    const index end = rows.begin + strip_elements<F>(rows.size()) * F::group;
    for (index row = rows.begin; row < end; row += F::group) {
      for (index lane = 0; lane < found.stride; lane += L::N, to += L::N) {
        const A* of_element[F::group];
        for (index i = 0; i < F::group; ++i) {
          of_element[i] = row + i < rows.end ? from + (row + i) * slot + lane / F::group : none;
        }
        F::turn(of_element, to);
      }
    }
    return found;
  }

  L layout_;
  Range range_ = {};
  index width_ = 0;         // columns of the matrix
  index strip_length_ = 0;  // elements
  int shares_ = 1;
  index M_ = 1;
  index strips_ = 0;
  A* strip_memory_ = nullptr;
  B* panel_memory_ = nullptr;  // [shares][strip_length][widest panel]
  T* sums_ = nullptr;
};

}  // namespace
}  // namespace rnnfast
