// Ways of the general driver to the same numbers, bit for bit: with all kept, with checkpoints,
// with nothing; launch by launch, or from a graph.
#pragma once

#include <cstring>

#include "pass_checks.hpp"

namespace rnnfast {
namespace {

template <class Stored>
using Arrays = std::vector<std::vector<Stored>>;

template <class Stored>
bool same_bits(const Arrays<Stored>& a, const Arrays<Stored>& b) {
  const auto same = [](const std::vector<Stored>& x, const std::vector<Stored>& y) {
    return x.size() == y.size() &&
           (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(Stored)) == 0);
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

/// Forward and, unless nothing is kept, backward, by a plan.
template <class Stream, class Cell, class Stored>
struct Run {
  Arrays<Stored> results;
  Arrays<Stored> gradients;

  Run(const Sequences<Reference<Stored>>& of, const GeneralPlan& plan) {
    typename Stream::Device device;
    Stream stream(device);
    OnDevice<Stream, Stored> there(device, of);
    there.template run<Cell>(stream, plan);
    results = there.results();
    if (plan.kept != Kept::nothing) gradients = there.gradients();
  }
};

/// Blocks of two steps: however many are kept, nothing is summed in another order.
template <class Stream, class Stored, class Cell>
void check_plans(const Sequences<Reference<Stored>>& of) {
  using Of = Run<Stream, Cell, Stored>;
  const bool masks = !of.mask.empty();
  const Of all(of, {Kept::all, 2, of.dims.steps, masks});
  const char* const name = of.cell.name();
  for (const index stretch : {2, 4}) {
    const Of saved(of, {Kept::checkpoints, 2, stretch, masks});
    CHECK(same_bits(saved.results, all.results), "%s", name);
    CHECK(same_bits(saved.gradients, all.gradients), "%s", name);
  }
  const Of inference(of, {Kept::nothing, 2, 2, masks});
  CHECK(same_bits(inference.results, all.results), "%s", name);
}

template <class Stream, class Stored, class Cell>
void check_plans_of(const CellSpec& spec, const Dims& dims = small) {
  const Sequences<Reference<Stored>> plain(spec, dims);
  check_plans<Stream, Stored, Cell>(plain);
  auto full = plain;
  add_lengths(full);
  add_resets(full);
  add_masks(full);
  add_zoneout(full);
  full.truncate = 3;
  check_plans<Stream, Stored, Cell>(full);
  if constexpr (Projectable<Cell>) {
    if (dims.projection) return;
    Dims projected = dims;
    projected.projection = 2;
    check_plans_of<Stream, Stored, Cell>(spec, projected);
  }
}

template <class Stream, class Stored>
void check_plans_of_all_cells() {
#define CHECK_CELL(name, ...) check_plans_of<Stream, Stored, __VA_ARGS__>(CellSpec(name));
  RNNFAST_CELLS(CHECK_CELL)
#undef CHECK_CELL
}

/// The same call three times on one stream, with other numbers each time: launched, recorded and
/// played, it gives what it gives where nothing has come before.
template <class Stream, class Stored, class Cell>
void check_graphs_of(Sequences<Reference<Stored>> of) {
  const GeneralPlan plan = {Kept::checkpoints, 2, 4, !of.mask.empty()};
  typename Stream::Device device;
  Stream stream(device);
  OnDevice<Stream, Stored> there(device, of);
  const auto place = there.template place<Cell>(plan);
  for (int time = 0; time < 4; ++time) {
    for (auto* const given : {&of.x, &of.dy, &of.h0, &of.mask, &of.weights[0], &of.weights[1]}) {
      for (auto& number : *given) number = -number / 2;
    }
    there.write_again();
    there.run(stream, place);
    const Run<Stream, Cell, Stored> alone(of, plan);
    CHECK(same_bits(there.results(), alone.results), "%s, time %d", of.cell.name(), time);
    CHECK(same_bits(there.gradients(), alone.gradients), "%s, time %d", of.cell.name(), time);
    CHECK(stream.graphs() == (time > 0 ? 2 : 0), "%s, time %d: %d graphs", of.cell.name(), time,
          static_cast<int>(stream.graphs()));
  }
}

template <class Stream, class Stored, class Cell>
void check_graphs(const CellSpec& spec) {
  Sequences<Reference<Stored>> of(spec, small);
  add_lengths(of);
  add_resets(of);
  add_masks(of);
  add_zoneout(of);
  check_graphs_of<Stream, Stored, Cell>(of);
}

}  // namespace
}  // namespace rnnfast
