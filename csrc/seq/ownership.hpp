// Which rows, panels and groups a worker owns under a plan, and the copies of states in and out.
#pragma once

#include "base/threads.hpp"
#include "gemm/pack.hpp"
#include "seq/layout.hpp"
#include "seq/plan.hpp"

namespace rnnfast {
namespace {

struct Ownership {
  Span rows;
  Span panels;  // of the forward pass
  Span groups;  // of the backward pass
  bool meets;   // whether a phase's results come from several workers
};

template <class L>
inline Ownership ownership(const L& layout, index rows, Partition partition, const Worker& worker) {
  const Span all_rows = {0, rows};
  if (partition == Partition::rows) {
    return {
        share(rows, worker.id, worker.count), {0, layout.panels()}, {0, layout.groups()}, false};
  }
  return {all_rows, share(layout.panels(), worker.id, worker.count),
          share(layout.groups(), worker.id, worker.count), worker.count > 1};
}

/// Private rows from an array (B, H) of the caller, or zeros where it is absent. Sequence b's is
/// row number `numbers[b]`.
template <class T, class L>
inline void read_state(const T* from, const L& layout, Span rows, const index* numbers, T* to) {
  for (index b = rows.begin; b < rows.end; ++b) {
    T* row = to + numbers[b] * layout.row();
    const index padded = layout.groups() * L::N;
    pack_row(from ? from + b * layout.units : nullptr, from ? layout.units : 0, padded, row);
  }
}

template <class T, class L>
inline void write_state(const T* from, const L& layout, Span rows, const index* numbers, T* to) {
  if (!to) return;
  for (index b = rows.begin; b < rows.end; ++b) {
    __builtin_memcpy(to + b * layout.units, from + numbers[b] * layout.row(),
                     static_cast<std::size_t>(layout.units) * sizeof(T));
  }
}

}  // namespace
}  // namespace rnnfast
