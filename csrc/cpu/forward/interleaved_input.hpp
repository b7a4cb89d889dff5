// For a single row: the input product of later steps within the recurrent product of earlier ones.
//
//   for each window of near_rows steps:
//     for each step and panel:   slot += h W_hh^T, and beside it one slice (of near_rows) of
//                                slots = bias + x W_ih^T for the steps of the next window
//
// R streams in from L2 or L3, and the multipliers do the input product while they wait for it
// (gemm/paired_tile.hpp). The first window has its own made beforehand.
#pragma once

#include "cpu/forward/input_product.hpp"
#include "gemm/pack.hpp"
#include "gemm/paired_tile.hpp"

namespace rnnfast {
namespace {

static_assert(near_rows == input_window);

/// In other formats no plan asks for it.
template <class Shape, class F>
class InterleavedInput {
 public:
  InterleavedInput(const ForwardContext<Shape, F>&, const DenseRuns&, const DenseRuns&) {}
};

template <class Shape, class T>
class InterleavedInput<Shape, Plain<T>> {
  using F = Plain<T>;
  using L = Layout<Shape, T>;
  // Both products of a panel are taken vector by vector. (Of cells with more phases the plan asks
  // for nothing here.)
  static_assert(Shape::phases > 1 || Shape::input.count() == Shape::phase[0].count());

 public:
  /// `recurrent` and `input` are the runs over the operands of the two products.
  InterleavedInput(const ForwardContext<Shape, F>& of, const DenseRuns& recurrent,
                   const DenseRuns& input)
      : call_(of.call),
        weights_(of.weights),
        history_(of.history),
        layout_(of.history.layout),
        work_(of.work),
        recurrent_runs_(recurrent),
        input_runs_(input) {}

  /// Before all windows.
  [[gnu::noinline]] void prepare() {
    for (index vectors = 1; vectors <= tile_vectors; ++vectors) {
      for (index place = 0; place < near_rows; ++place) {
        pieces_[vectors - 1][place] = piece_at(vectors, place);
      }
    }
  }

  /// Of a share's panels, before the first window; each leaves its sums at zero for the next.
  void clear_sums(Span panels) const {
    for (index panel = panels.begin; panel < panels.end; ++panel) {
      __builtin_memset(sums_of(panel), 0, sums_bytes(panel));
    }
  }

  /// The steps from `begin` on are the next whose input product is made.
  void begin_window(index begin) {
    begin_ = begin;
    slots_ = history_.slots_of(begin);
    first_slot_ = history_.step_row(begin);
    rows_ = smaller(near_rows, history_.steps.end - begin);
  }

  /// What a share needs of a window before its first step.
  [[gnu::noinline]] void prepare_window(Span panels, const Share& own) const {
    const T* x = call_.x.data + begin_ * call_.x.step_stride;
    for (index m = 0; m < near_rows; m += L::N) {
      pack_lanes<F>(x + m * call_.x.step_stride, call_.x.step_stride,
                    smaller(L::N, larger(rows_ - m, 0)), call_.dims.inputs, strip_of(own) + m,
                    near_strip<T>);
    }
    for (index panel = panels.begin; panel < panels.end; ++panel) {
      const index group = layout_.width(panel) * L::N;
      for (index m = 0; m < rows_; ++m) {
        start_other_parts<Shape>(weights_.bias_panel(panel),
                                 slots_of(panel) + m * layout_.slot(panel), group);
      }
    }
  }

  /// slot += h W_hh^T of one panel, at `place` of the window before, with its slice.
  void multiply_panel(index panel, const T* h, T* slot, index place, const Share& own) const {
    const index zero = 0;
    const index group = layout_.width(panel) * L::N;
    const index vectors = weights_.recurrent[0].vectors(panel);
    const Columns<F> recurrent = weights_.recurrent[0].panel(panel);
    const Columns<F> input = weights_.input.panel(panel);
    for (index vector = 0; vector < vectors; vector += recurrent.width) {
      const index width = smaller(recurrent.width, vectors - vector);
      const Rows<T> c = {slot + Shape::phase[0].begin * group + vector * L::N, &zero, 0};
      const Piece& piece = pieces_[width - 1][place];
      paired_tile_for<T>(width, piece.vector.size())(
          {{h, &zero, 0},
           recurrent_runs_.all(),
           recurrent.at(vector),
           recurrent.stride(),
           recurrent.column(),
           {c.base, &zero, 0},
           c},
          slice(panel, input, vector + piece.vector.begin, piece.k, strip_of(own)));
    }
  }

 private:
  /// A part of the window's product over a tile's columns: some of its vectors, some of k.
  struct Piece {
    Span vector;
    Span k;
  };

  /// The columns of `vectors` are taken in turn, each for its share of a window's places.
  Piece piece_at(index vectors, index place) const {
    const Pieces columns(vectors, near_vectors);
    index column = 0;
    Span places = {};
    do {
      const Span at = columns.at(column);
      places = {near_rows * at.begin / vectors, near_rows * at.end / vectors};
    } while (places.end <= place && ++column);
    return {columns.at(column), share(call_.dims.inputs, place - places.begin, places.size())};
  }

  SliceCall<T> slice(index panel, const Columns<F>& input, index vector, Span k,
                     const T* strip) const {
    static constexpr index numbers[near_rows] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static_assert(numbers[near_rows - 1] == near_rows - 1, "one number a row");
    const index inputs = call_.dims.inputs;
    const index run = input_runs_.run;
    const index first = vector * L::N;
    const index at = Shape::input.begin * layout_.width(panel) * L::N + first;
    const T* bias = weights_.bias_panel(panel) + at;
    const Rows<T> c = {slots_of(panel) + at, numbers, layout_.slot(panel)};
    return {
        strip + k.begin * near_strip<T>,
        k.size(),
        smaller(run - k.begin % run, inputs - k.begin),
        inputs - k.begin,
        run,
        input.at(vector) + k.begin * input.stride(),
        input.stride(),
        k.begin < run ? Rows<const T>{bias, numbers, 0} : Rows<const T>{c.base, numbers, c.stride},
        c,
        rows_,
        sums_of(panel) + near_rows * first};
  }

  /// Slots of the window's first step, one a step.
  T* slots_of(index panel) const { return slots_.panel(panel) + first_slot_ * layout_.slot(panel); }
  T* strip_of(const Share& own) const { return work_.strips + own.id * work_.strip_size; }
  T* sums_of(index panel) const { return work_.sums + near_rows * L::P * L::U * L::N * panel; }
  std::size_t sums_bytes(index panel) const {
    return static_cast<std::size_t>(near_rows * layout_.slot(panel)) * sizeof(T);
  }

  const ForwardCall<T>& call_;
  const ForwardWeights<Shape, F>& weights_;
  const History<Shape, T>& history_;
  const L& layout_;
  const ForwardWorkspace<Shape, F>& work_;
  const DenseRuns& recurrent_runs_;
  const DenseRuns& input_runs_;
  Piece pieces_[tile_vectors][near_rows];
  index begin_ = 0;  // of the next window
  Slots<Shape, T> slots_ = {};
  index first_slot_ = 0;
  index rows_ = 0;
};

}  // namespace
}  // namespace rnnfast
