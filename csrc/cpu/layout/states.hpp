// States between the caller's arrays and private rows, and the padding of the caller's sequences.
#pragma once

#include "call/passes.hpp"
#include "cpu/layout/layout.hpp"
#include "gemm/pack.hpp"

namespace rnnfast {
namespace {

/// A private row from an array (B, units) of the caller, or zeros where it is absent.
template <class T, class L>
inline void read_state(const T* from, const L& layout, index sequence, T* row) {
  pack_row(from ? from + sequence * layout.units : nullptr, from ? layout.units : 0,
           layout.groups() * L::N, row);
}

template <class T, class L>
inline void write_state(const T* row, const L& layout, index sequence, T* to) {
  if (!to) return;
  __builtin_memcpy(to + sequence * layout.units, row,
                   static_cast<std::size_t>(layout.units) * sizeof(T));
}

/// Zeros those of `steps` in a (T, B, `width`) array that a sequence does not take.
template <class T>
inline void clear_padding(const Sequence<T>& array, const SequenceRow& row, Span steps,
                          index width) {
  const Span taken = {row.first, row.first + row.length};
  for (index t = steps.begin; t < steps.end; ++t) {
    if (t >= taken.begin && t < taken.end) t = taken.end;
    if (t >= steps.end) break;
    __builtin_memset(array.data + t * array.step_stride + row.sequence * array.row_stride, 0,
                     static_cast<std::size_t>(width) * sizeof(T));
  }
}

}  // namespace
}  // namespace rnnfast
