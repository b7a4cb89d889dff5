// Which driver takes the steps of a pass, from sizes and facts of the device alone.
//
//   general    R is read at every step; any cell, any option, any size
//   grid       R stays in the shared memory of all multiprocessors, one block each
//   cluster    R stays in the blocks of clusters, each of which has rows of its own
//
// Rows and units are divided so that the busiest block has as little to multiply as can be, and
// among such divisions into as many groups as have room: every group keeps all of R, but its blocks
// read the operand of its own rows alone. And R must be worth keeping: from some number of rows on,
// a product of all of them in the library is faster than the resident one by more than launches and
// reading R cost.
#pragma once

#include "cells/cell_at.hpp"
#include "cuda/chip.hpp"
#include "cuda/persistent/division.hpp"

namespace rnnfast {
namespace {

enum class Driver { general, grid, cluster };

struct PersistentPlan {
  Driver driver = Driver::general;
  Division division = {};
  index shared_bytes = 0;  // of a block
};

template <class Activations>
constexpr bool are_fixed = false;
template <class... Of>
constexpr bool are_fixed<Fixed<Of...>> = true;

/// Cells that persistent launches take: of products, and functions of a unit that the compiler
/// knows.
template <class Cell>
concept Resident =
    !Normalized<Cell> && unit_weights_of<Cell>() == 0 && are_fixed<decltype(Cell::act)>;

/// What a call asks for that is nothing to them.
template <class T>
bool is_plain(const Dims& dims, const Masks<T>& masks, const Sequence<const bool>& resets) {
  return !dims.projection && !masks.recurrent && !resets.data;
}

/// What of a pass a plan depends on.
struct ResidentWork {
  index rows;         // B
  index units;        // H
  index unit_length;  // numbers of R that belong to a unit
  index most;         // multiplications of a multiprocessor in a step that are worth it
};

constexpr index most_chunk_rows = 64;
constexpr index octet = 8;

/// With chunks as long as have room; of the general driver if none has.
template <class SharedBytes>
PersistentPlan plan_groups(const Chip& chip, const ResidentWork& of, index groups,
                           SharedBytes&& shared_bytes) {
  const index own = ceil_div(of.units, chip.multiprocessors / groups);
  if (own * of.unit_length > chip.resident_bytes) return {};
  const index rows = round_up(ceil_div(of.rows, groups), octet);
  for (index chunk = smaller(rows, most_chunk_rows); chunk >= octet; chunk -= octet) {
    const Division by = {of.rows, of.units, own, ceil_div(of.units, own), groups, chunk};
    const index bytes = shared_bytes(by);
    if (bytes <= chip.resident_bytes) return {Driver::grid, by, bytes};
  }
  return {};
}

/// `shared_bytes(division)` is what a block needs.
template <class SharedBytes>
PersistentPlan persistent_plan(const Chip& chip, const ResidentWork& of,
                               SharedBytes&& shared_bytes) {
  if (!chip.is_cooperative || of.rows == 0) return {};
  // Of sizes whose products have no number, R has no room either.
  if (of.units > chip.multiprocessors * chip.resident_bytes / of.unit_length) return {};
  if (of.rows > of.most * chip.multiprocessors / (of.units * of.unit_length)) return {};
  PersistentPlan best;
  for (index groups = smaller(ceil_div(of.rows, octet), chip.multiprocessors); groups > 0;
       --groups) {
    const PersistentPlan plan = plan_groups(chip, of, groups, shared_bytes);
    if (plan.driver == Driver::general) continue;
    const auto busiest = [](const Division& by) { return by.group_rows() * by.own; };
    const bool is_better =
        best.driver == Driver::general || busiest(plan.division) < busiest(best.division);
    if (is_better) best = plan;
  }
  return best;
}

}  // namespace
}  // namespace rnnfast
