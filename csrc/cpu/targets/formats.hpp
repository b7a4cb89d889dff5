// All cells in one product format other than the scalar's plain one, and its probes: the include of
// the files of each target. Passes are compiled once a shape; cells are not compiled
// here, their epilogues are those of the scalar's own file for the same vectors.
#pragma once

#include "cells/registry.hpp"
#include "cpu/targets/kernels.hpp"

namespace rnnfast {
namespace {

#define RNNFAST_FORMAT_ENTRY(name, ...) inference_of<typename __VA_ARGS__::Shape, F>(),
template <class F>
constexpr InferenceKernels<typename F::Sum> fixed_in[] = {RNNFAST_CELLS(RNNFAST_FORMAT_ENTRY)};
template <class F, class T = typename F::Sum>
constexpr InferenceKernels<T> chosen_in[] = {RNNFAST_CHOSEN_CELLS(RNNFAST_FORMAT_ENTRY)};
#undef RNNFAST_FORMAT_ENTRY

#define RNNFAST_TRAINING_ENTRY(name, ...) training_of<typename __VA_ARGS__::Shape, F>(),
template <class F>
constexpr TrainingKernels<typename F::Sum> fixed_training_in[] = {
    RNNFAST_CELLS(RNNFAST_TRAINING_ENTRY)};
template <class F, class T = typename F::Sum>
constexpr TrainingKernels<T> chosen_training_in[] = {RNNFAST_CHOSEN_CELLS(RNNFAST_TRAINING_ENTRY)};
#undef RNNFAST_TRAINING_ENTRY

template <class F>
struct FormatProbeFunctions {
  using A = typename F::A;
  using B = typename F::B;
  using T = typename F::Sum;
  static constexpr index N = lanes<T>;
  static constexpr int chains = on_matrix_unit<F> ? 4 : 12;
  // k of a multiplication of vectors, of which a matrix unit does one a row.
  static constexpr int products =
      static_cast<int>(F::group / F::passes * (on_matrix_unit<F> ? matrix_rows * matrix_pairs : 1));

  static void tile(int rows, int vectors, index k, const void* a, const void* b, const T* start,
                   T* c, index repeats) {
    constexpr int most_rows = tallest_tile<F>(1);
    index numbers[most_rows];
    count_up(numbers, most_rows);
    const index columns = vectors * N;
    const TileCall<F> call = {{static_cast<const A*>(a), numbers, k},
                              {1, k, k, 0},
                              static_cast<const B*>(b),
                              columns,
                              tile_vectors * N,
                              {start, numbers, columns},
                              {c, numbers, columns}};
    const auto function = tile_for<F>(rows, vectors);
    for (index i = 0; i < repeats; ++i) function(call);
  }

  static T multiply_loop(index count)
    requires(!on_matrix_unit<F>)
  {
    const A a = {};
    const B b[N] = {};
    const auto of_a = F::spread(a, 0);
    const auto of_b = F::read(b, 0);
    Vec<T> sum[chains];
    for (int i = 0; i < chains; ++i) sum[i] = broadcast(static_cast<T>(i));
    for (index i = 0; i < count; ++i) {
#pragma GCC unroll 16
      for (int j = 0; j < chains; ++j) sum[j] = F::add(of_a, of_b, sum[j]);
    }
    T total = 0;
    for (int i = 0; i < chains; ++i) total += sum[i][0];
    return total;
  }

#if defined(RNNFAST_MATRIX_UNIT)
  static T multiply_loop(index count)
    requires on_matrix_unit<F>
  {
    return multiply_matrices(count);
  }
#endif

  static constexpr FormatProbes<T> table() {
    return {static_cast<int>(F::group),
            sizeof(A),
            sizeof(B),
            0,
            tallest_tile<F>,
            tile,
            chains,
            products,
            multiply_loop};
  }
};

/// For inference alone.
template <class F>
constexpr FormatKernels<typename F::Sum> format_kernels = {fixed_in<F>, chosen_in<F>,
                                                           FormatProbeFunctions<F>::table()};
/// For training as well.
template <class F>
constexpr FormatKernels<typename F::Sum> training_format_kernels = {
    fixed_in<F>, chosen_in<F>, FormatProbeFunctions<F>::table(), fixed_training_in<F>,
    chosen_training_in<F>};

}  // namespace
}  // namespace rnnfast
