// Which driver takes the steps of a pass, from sizes and facts of the device alone.
//
//   general    R is read at every step; any cell, any option, any size
//   grid       R stays in shared memory, or registers too, of all multiprocessors, one block each
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
  int threads = 0;         // of a block
  index shared_bytes = 0;  // likewise

  ResidentLaunch launch() const {
    const auto shares = static_cast<int>(division.shares);
    return {division.blocks(), threads, driver == Driver::cluster ? shares : 0, shared_bytes};
  }
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
  int threads;        // of a block
};

constexpr index most_chunk_rows = 64;
constexpr index octet = 8;
constexpr index least_cluster_units = 16;

/// Of R that a block could keep at most: two bytes each, and registers hold no more than its
/// memory.
constexpr index most_numbers(const Chip& chip) { return chip.resident_bytes; }

/// Whether a step of so many blocks' products is worth it.
inline bool is_worth_it(const ResidentWork& of, index blocks) {
  return of.rows <= of.most * blocks / (of.units * of.unit_length);
}

/// Clusters of as many blocks as leave each a pair of octets of units: fewer meet faster, and more
/// multiply no faster. A group's rows are a chunk, and groups that find no room wait for others.
template <class SharedBytes>
PersistentPlan cluster_plan(const Chip& chip, const ResidentWork& of, SharedBytes&& shared_bytes) {
  if (chip.cluster_blocks == 0 || of.rows == 0) return {};
  const index own = larger(ceil_div(of.units, chip.cluster_blocks), least_cluster_units);
  // Whole octets, which are written at once; unless there are so few units.
  const index units = smaller(round_up(own, octet), of.units);
  if (units * of.unit_length > most_numbers(chip)) return {};
  const index shares = ceil_div(of.units, units);
  const index groups = within(chip.multiprocessors / shares, {1, ceil_div(of.rows, octet)});
  const index chunk = round_up(ceil_div(of.rows, groups), octet);
  const Division by = {of.rows, of.units, units, shares, groups, chunk};
  if (chunk > most_chunk_rows || !is_worth_it(of, by.blocks())) return {};
  const index bytes = shared_bytes(by);
  if (bytes > chip.resident_bytes) return {};
  return {Driver::cluster, by, of.threads, bytes};
}

/// With chunks as long as have room; of the general driver if none has.
template <class SharedBytes>
PersistentPlan plan_groups(const Chip& chip, const ResidentWork& of, index groups,
                           SharedBytes&& shared_bytes) {
  const index own = ceil_div(of.units, chip.multiprocessors / groups);
  if (own * of.unit_length > most_numbers(chip)) return {};
  const index rows = round_up(ceil_div(of.rows, groups), octet);
  for (index chunk = smaller(rows, most_chunk_rows); chunk >= octet; chunk -= octet) {
    const Division by = {of.rows, of.units, own, ceil_div(of.units, own), groups, chunk};
    const index bytes = shared_bytes(by);
    if (bytes <= chip.resident_bytes) return {Driver::grid, by, of.threads, bytes};
  }
  return {};
}

/// `shared_bytes(division)` is what a block needs.
template <class SharedBytes>
PersistentPlan grid_plan(const Chip& chip, const ResidentWork& of, SharedBytes&& shared_bytes) {
  if (!chip.is_cooperative || of.rows == 0) return {};
  // Of sizes whose products have no number, R has no room either.
  if (of.units > chip.multiprocessors * most_numbers(chip) / of.unit_length) return {};
  if (!is_worth_it(of, chip.multiprocessors)) return {};
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
