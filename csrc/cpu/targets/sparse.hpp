// Inference with a sparse W_hh: the include of the files of each target.
#pragma once

#include "cpu/targets/formats.hpp"

namespace rnnfast {
namespace {

/// Cells whose W_hh may be sparse.
template <class Shape>
constexpr bool may_be_sparse = false;
template <int gates>
constexpr bool may_be_sparse<LstmShape<gates>> = true;
template <>
constexpr bool may_be_sparse<GruShape> = true;
template <>
constexpr bool may_be_sparse<GruResetBeforeShape> = true;

template <class Shape, class T>
constexpr InferenceKernels<T> sparse_of() {
  if constexpr (may_be_sparse<Shape>) {
    return inference_of<Shape, Sparse<T>>();
  } else {
    return {};
  }
}

#define RNNFAST_SPARSE_ENTRY(name, ...) sparse_of<typename __VA_ARGS__::Shape, T>(),
template <class T>
constexpr InferenceKernels<T> fixed_sparse[] = {RNNFAST_CELLS(RNNFAST_SPARSE_ENTRY)};
template <class T>
constexpr InferenceKernels<T> chosen_sparse[] = {RNNFAST_CHOSEN_CELLS(RNNFAST_SPARSE_ENTRY)};
#undef RNNFAST_SPARSE_ENTRY

template <class T>
constexpr FormatKernels<T> sparse_in = {fixed_sparse<T>, chosen_sparse<T>,
                                        FormatProbeFunctions<Sparse<T>>::table()};

constexpr SparseKernels sparse_kernels = {sparse_in<float>, sparse_in<double>};

}  // namespace
}  // namespace rnnfast
