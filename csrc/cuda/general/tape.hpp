// What a pass remembers, and where it lies: `place(memory)` takes it, part by part, from what has
// take<T>(count), a block of memory (Bump) among them.
//
//   history       slots and states of the steps of a stretch, by packed row (general/rows.hpp)
//   checkpoints   the states before each stretch, by rank
//
// A tape has one of them, as its plan says (general/plan.hpp); the other serves one stretch after
// the other and lies in the pass's own memory.
#pragma once

#include "base/arena.hpp"
#include "call/passes.hpp"
#include "cells/cell.hpp"
#include "cuda/general/plan.hpp"
#include "cuda/stored.hpp"

namespace rnnfast {
namespace {

/// Of N packed rows in all.
template <class Cell, class Stored>
struct GeneralHistory {
  using T = ScalarOf<Stored>;
  Dims dims;
  index rows;  // N, at most
  bool masks_operand;
  T* slots = nullptr;                  // (N, P, H): gates, or v^
  T* scales = nullptr;                 // (N, norms)
  States<T> before;                    // (N, R), (N, H): before the step
  Stored* operand[Cell::phases] = {};  // (N, R): what the product of a phase multiplies
  Stored* m = nullptr;                 // (N, H): what a projection makes h of

  GeneralHistory(const Dims& dims, const GeneralPlan& plan)
      : dims(dims), rows(plan.stretch_steps * dims.rows), masks_operand(plan.masks_operand) {}

  template <class Memory>
  void place(Memory& memory) {
    const index H = dims.units;
    const index R = outputs_of(dims);
    slots = memory.template take<T>(rows * Cell::parts * H);
    if constexpr (Normalized<Cell>)
      scales = memory.template take<T>(rows * rnnfast::scales<Cell>());
    before.h = memory.template take<T>(rows * R);
    if constexpr (Cell::has_memory) before.c = memory.template take<T>(rows * H);
    operand[0] = masks_operand || is_short<Stored> ? memory.template take<Stored>(rows * R)
                                                   : if_same<Stored>(before.h);
    if constexpr (Cell::phases == 2) operand[1] = memory.template take<Stored>(rows * R);
    if (dims.projection) m = memory.template take<Stored>(rows * H);
  }

  /// From a row on.
  GeneralHistory from(index row) const {
    const index H = dims.units;
    const index R = outputs_of(dims);
    GeneralHistory found = *this;
    found.slots += row * Cell::parts * H;
    if constexpr (Normalized<Cell>) found.scales += row * rnnfast::scales<Cell>();
    found.before.h += row * R;
    if constexpr (Cell::has_memory) found.before.c += row * H;
    for (Stored*& one : found.operand) one += row * R;
    if (m) found.m += row * H;
    return found;
  }
};

template <class Cell, class T>
struct GeneralCheckpoints {
  Dims dims;
  index count;
  T* h = nullptr;  // (count, B, R)
  T* c = nullptr;  // (count, B, H)

  GeneralCheckpoints(const Dims& dims, index count) : dims(dims), count(count) {}

  template <class Memory>
  void place(Memory& memory) {
    h = memory.template take<T>(count * dims.rows * outputs_of(dims));
    if constexpr (Cell::has_memory) c = memory.template take<T>(count * dims.rows * dims.units);
  }

  /// The states before a stretch; of a single one, those before whichever is next.
  States<T> before(index stretch) const {
    const index i = stretch % count;
    return {h + i * dims.rows * outputs_of(dims),
            Cell::has_memory ? c + i * dims.rows * dims.units : nullptr};
  }
};

template <class Cell, class Stored>
struct GeneralTape {
  using T = ScalarOf<Stored>;
  GeneralPlan plan;
  GeneralHistory<Cell, Stored> history;
  GeneralCheckpoints<Cell, T> checkpoints;

  GeneralTape(const Dims& dims, const GeneralPlan& plan)
      : plan(plan),
        history(dims, plan),
        checkpoints(dims, plan.kept == Kept::checkpoints ? plan.stretches(dims.steps) : 1) {}

  /// Where it is; null if it keeps nothing.
  const T* address() const {
    if (plan.kept == Kept::nothing) return nullptr;
    return plan.kept == Kept::all ? history.slots : checkpoints.h;
  }

  /// What is left to the passes to come.
  template <class Memory>
  void place(Memory& memory) {
    if (plan.kept == Kept::all) history.place(memory);
    if (plan.kept == Kept::checkpoints) checkpoints.place(memory);
  }

  /// What a pass needs beside it.
  template <class Memory>
  void place_rest(Memory& memory) {
    if (plan.kept != Kept::all) history.place(memory);
    if (plan.kept != Kept::checkpoints) checkpoints.place(memory);
  }
};

}  // namespace
}  // namespace rnnfast
