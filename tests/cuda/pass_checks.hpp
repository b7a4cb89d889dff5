// Whole sequences by the general driver, against the same by the CPU's kernels. Stream says on what
// device: an emulated one, or a GPU.
//
// Where arrays are of 16 bits the CPU computes in float64, from the same numbers. Without recurrent
// weights the driver must then give what is nearest, but for float32's own errors: states and their
// gradients are rounded as they are written, and never before (cuda/stored.hpp). With them,
// operands are rounded at every step, and what comes of that is bounded.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "../native/sequences.hpp"
#include "cells/registry.hpp"
#include "cuda/general/passes.hpp"
#include "rounding.hpp"

namespace rnnfast {
namespace {

using testing::Sequences;

/// The sequences of a call by rank; none where all take all steps.
template <class T>
std::vector<SequenceRow> ranked(const Sequences<T>& of) {
  std::vector<SequenceRow> rows;
  for (std::size_t b = 0; 2 * b < of.spans.size(); ++b) {
    const index begin = of.spans[2 * b];
    rows.push_back({static_cast<index>(b), 0, begin, of.spans[2 * b + 1] - begin});
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const SequenceRow& a, const SequenceRow& b) { return a.length > b.length; });
  for (std::size_t rank = 0; rank < rows.size(); ++rank) rows[rank].rank = static_cast<index>(rank);
  return rows;
}

/// What the CPU computes in, where the device's arrays hold `Stored`.
template <class Stored>
using Reference = std::conditional_t<is_short<Stored>, double, Stored>;

/// How far results may be off, of themselves and of the largest.
struct Tolerance {
  double of_number;
  double of_size;
};
template <class Stored>
constexpr Tolerance rounded_once = {
    rounding<Stored>, 256 * static_cast<double>(std::numeric_limits<ScalarOf<Stored>>::epsilon())};
template <class Stored>
constexpr Tolerance rounded_often = {rounded_once<Stored>.of_number,
                                     rounded_once<Stored>.of_size + 8 * rounding<Stored>};

/// Numbers that the device is given as they are.
template <class Stored, class T>
void round(std::vector<T>& numbers) {
  for (T& number : numbers) number = converted<T>(converted<Stored>(number));
}

/// A call's arrays on the device of a stream.
template <class Stream, class Stored>
class OnDevice {
  using T = ScalarOf<Stored>;
  using Given = Sequences<Reference<Stored>>;

 public:
  using Device = typename Stream::Device;

  OnDevice(Device& device, const Given& of) : device_(device), of_(of), rows_(ranked(of)) {
    const Dims& dims = of.dims;
    const index R = outputs_of(dims);
    forward.dims = dims;
    forward.x = {copy("x", of.x), dims.rows * dims.inputs, dims.inputs};
    forward.initial = {copy("h0", of.h0), copy("c0", of.c0)};
    forward.y = {reserve("y", of.y), dims.rows * R, R};
    forward.last = {reserve("h_n", of.h_n), reserve("c_n", of.c_n)};
    forward.rows = rows_.empty() ? nullptr : rows_.data();
    forward.activations = of.cell.activations();
    const char* const resets = of.resets.empty() ? nullptr : device.copy("resets", of.resets);
    forward.resets = {reinterpret_cast<const bool*>(resets), dims.rows, 1};
    forward.masks = {copy<T>("mask", of.mask),
                     {copy<T>("kept h", of.kept_h), dims.rows * R, R},
                     {copy<T>("kept c", of.kept_c), dims.rows * dims.units, dims.units}};
    for (int i = 0; i < weight_count; ++i) {
      weights.arrays[i] = copy("weights", of.weights[i]);
      backward.out.weights.arrays[i] = reserve("d weights", of.weights[i]);
    }
    backward.dims = dims;
    backward.dy = {copy("dy", of.dy), dims.rows * R, R};
    backward.d_last = {copy("dh_n", of.dh_n), copy("dc_n", of.dc_n)};
    backward.out.x = {reserve("dx", of.x), dims.rows * dims.inputs, dims.inputs};
    backward.out.initial = {reserve("dh0", of.h0), reserve("dc0", of.c0)};
    backward.rows = forward.rows;
    backward.resets = forward.resets;
    backward.masks = forward.masks;
    backward.activations = forward.activations;
    backward.truncate = of.truncate;
    backward.x = {forward.x.data, forward.x.step_stride, forward.x.row_stride};
    backward.weights = weights;
    // Of steps that nobody takes nothing is written.
    const index gates = of.traits.gates * dims.units;
    const std::vector<T> none(static_cast<std::size_t>(dims.steps * dims.rows * gates));
    const std::vector<T> no_c(of.c0.empty() ? 0 : none.size() / std::size_t(of.traits.gates));
    trace = {weights,
             {copy("gates", none), dims.rows * gates, gates},
             {copy("c", no_c), dims.rows * dims.units, dims.units},
             forward.rows,
             forward.activations};
  }

  /// Where weights and a tape of a cell lie.
  template <class Cell>
  struct Place {
    PackedWeights<Cell, Stored> packed;
    GeneralTape<Cell, Stored> tape;
  };
  template <class Cell>
  Place<Cell> place(const GeneralPlan& plan) {
    const Memory memory{device_};
    Place<Cell> found = {PackedWeights<Cell, Stored>(of_.dims),
                         GeneralTape<Cell, Stored>(of_.dims, plan)};
    found.packed.place(memory);
    found.tape.place(memory);
    return found;
  }

  /// All that a plan leaves to be done.
  template <class Cell>
  void run(Stream& stream, const Place<Cell>& place) {
    general_pack(stream, weights, place.packed);
    general_forward(stream, forward, place.packed, place.tape);
    if (place.tape.plan.kept != Kept::nothing) general_backward(stream, backward, place.tape);
    if (place.tape.plan.kept == Kept::all) general_trace(stream, trace, place.tape);
  }
  template <class Cell>
  void run(Stream& stream, const GeneralPlan& plan) {
    run(stream, place<Cell>(plan));
  }

  /// What the passes read, from what it is now.
  void write_again() {
    const auto write = [&](const auto* array, const auto& from) {
      using Number = std::remove_cvref_t<decltype(*array)>;
      if (!from.empty()) device_.write(const_cast<Number*>(array), stored<Number>(from));
    };
    write(forward.x.data, of_.x);
    write(forward.initial.h, of_.h0);
    write(forward.masks.recurrent, of_.mask);
    write(backward.dy.data, of_.dy);
    for (int i = 0; i < weight_count; ++i) write(weights.arrays[i], of_.weights[i]);
  }

  /// Results of the forward pass, and gradients.
  std::vector<std::vector<Stored>> results() const {
    std::vector<std::vector<Stored>> all = {numbers_of(forward.y.data, of_.y),
                                            numbers_of(forward.last.h, of_.h_n),
                                            numbers_of(forward.last.c, of_.c_n)};
    return all;
  }
  std::vector<std::vector<Stored>> gradients() const {
    std::vector<std::vector<Stored>> all = {numbers_of(backward.out.x.data, of_.x),
                                            numbers_of(backward.out.initial.h, of_.h0),
                                            numbers_of(backward.out.initial.c, of_.c0)};
    for (int i = 0; i < weight_count; ++i) {
      all.push_back(numbers_of(backward.out.weights.arrays[i], of_.weights[i]));
    }
    return all;
  }

  /// Compares one of the device's arrays with what it must be.
  void check(const char* what, const Stored* got, const std::vector<Reference<Stored>>& wanted,
             const Tolerance& tolerance) const {
    if (wanted.empty()) return;
    CHECK(device_.unwritten(got, wanted.size()) == 0, "%s %s", of_.cell.name(), what);
    const std::vector<Stored> numbers = device_.numbers(got, wanted.size());
    double size = 1;
    for (const auto number : wanted) {
      if (std::isfinite(number)) size = std::fmax(size, std::fabs(static_cast<double>(number)));
    }
    double worst = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto found = converted<double>(numbers[i]);
      const auto asked = static_cast<double>(wanted[i]);
      if (found == asked) continue;
      // An infinity times what is left of a slope: NaN if that is zero in one of the types.
      const bool neither = !std::isfinite(found) && !std::isfinite(asked);
      if (neither && (std::isnan(found) || std::isnan(asked))) continue;
      const double off = std::fabs(found - asked) /
                         (tolerance.of_number * std::fabs(asked) + tolerance.of_size * size);
      worst = off > worst || std::isnan(off) ? off : worst;
    }
    CHECK(worst <= 1, "%s%s %s: off by %g times what is allowed", of_.cell.name(),
          of_.cell.chooses() ? " choosing" : "", what, worst);
  }

  ForwardCall<Stored> forward = {};
  BackwardCall<Stored> backward = {};
  TraceCall<Stored> trace = {};
  WeightSet<const Stored> weights;

 private:
  template <class Number = Stored, class From>
  Number* copy(const char* name, const std::vector<From>& numbers) {
    return numbers.empty() ? nullptr : device_.copy(name, stored<Number>(numbers));
  }
  template <class Number, class From>
  static std::vector<Number> stored(const std::vector<From>& numbers) {
    std::vector<Number> found;
    for (const From number : numbers) found.push_back(converted<Number>(number));
    return found;
  }
  template <class Like>
  std::vector<Stored> numbers_of(const Stored* array, const std::vector<Like>& like) const {
    return like.empty() ? std::vector<Stored>() : device_.numbers(array, like.size());
  }
  template <class Like>
  Stored* reserve(const char* name, const std::vector<Like>& like) {
    return like.empty() ? nullptr : device_.template reserve<Stored>(name, like.size());
  }

  /// Arrays that stay (general/tape.hpp).
  struct Memory {
    Device& device;

    template <class N>
    N* take(index count) const {
      return device.template reserve<N>("kept", static_cast<std::size_t>(count));
    }
  };

  Device& device_;
  const Given& of_;
  const std::vector<SequenceRow> rows_;
};

/// `of_states` is what states may be off by, and their gradients.
template <class Stream, class Stored, class Cell>
void check_passes(Sequences<Reference<Stored>> of, const Tolerance& of_states) {
  if constexpr (is_short<Stored>) {
    for (auto* const given : of.arguments()) round<Stored>(*given);
    for (auto* const given : {&of.dy, &of.dh_n, &of.dc_n}) round<Stored>(*given);
    for (auto* const given : {&of.mask, &of.kept_h, &of.kept_c}) round<float>(*given);
  }
  typename Stream::Device device;
  OnDevice<Stream, Stored> there(device, of);
  Stream stream(device);
  // Two blocks, the second of them shorter.
  there.template run<Cell>(stream, {Kept::all, 4, of.dims.steps, !of.mask.empty()});

  const Tape tape = of.forward_saving();
  const auto d = of.gradients(tape);
  const auto traced = of.trace(tape);
  there.check("y", there.forward.y.data, of.y, of_states);
  there.check("h_n", there.forward.last.h, of.h_n, of_states);
  there.check("c_n", there.forward.last.c, of.c_n, of_states);
  there.check("dh0", there.backward.out.initial.h, d.h0, of_states);
  there.check("dc0", there.backward.out.initial.c, d.c0, of_states);
  there.check("dx", there.backward.out.x.data, d.x, rounded_often<Stored>);
  there.check("gates", there.trace.gates.data, traced.gates, of_states);
  there.check("c", there.trace.c.data, traced.c, of_states);
  const char* const names[weight_count] = {"dw_ih", "dw_hh",      "db_ih",     "db_hh",
                                           "dw_hr", "d of units", "d of norms"};
  for (int i = 0; i < weight_count; ++i) {
    there.check(names[i], there.backward.out.weights.arrays[i], d.weights[i],
                rounded_often<Stored>);
  }
}

template <class Stream, class Stored, class Cell>
void check_passes(const Sequences<Reference<Stored>>& of) {
  check_passes<Stream, Stored, Cell>(of, rounded_often<Stored>);
  if (!is_short<Stored> || of.dims.projection) return;  // an operand of its own
  Sequences<Reference<Stored>> alone = of;
  auto& w_hh = alone.weights[static_cast<int>(WeightId::w_hh)];
  w_hh.assign(w_hh.size(), 0);
  check_passes<Stream, Stored, Cell>(alone, rounded_once<Stored>);
}

constexpr Dims small = {6, 4, 3, 5};
constexpr auto numbers = static_cast<std::size_t>(small.steps * small.rows);

template <class T>
void add_lengths(Sequences<T>& of) {
  of.spans = {1, 4, 0, 6, 2, 2, 2, 6};
}
template <class T>
void add_resets(Sequences<T>& of) {
  of.resets.assign(numbers, 0);
  of.resets[1] = of.resets[6] = of.resets[13] = of.resets[23] = 1;
}
template <class T>
void add_masks(Sequences<T>& of) {
  testing::Random random;
  of.mask = random.vector<T>(small.rows * outputs_of(of.dims));
}
template <class T>
void add_zoneout(Sequences<T>& of) {
  testing::Random random;
  of.kept_h = random.vector<T>(static_cast<index>(numbers) * outputs_of(of.dims));
  if (!of.c0.empty()) of.kept_c = random.vector<T>(static_cast<index>(numbers) * small.units);
}

template <class Stream, class Stored, class Cell>
void check_options(const CellSpec& spec, const Dims& dims = small) {
  using Given = Sequences<Reference<Stored>>;
  const Given plain(spec, dims);
  check_passes<Stream, Stored, Cell>(plain);
  Given ragged = plain;
  add_lengths(ragged);
  check_passes<Stream, Stored, Cell>(ragged);
  Given cut = plain;
  add_resets(cut);
  cut.truncate = 2;
  check_passes<Stream, Stored, Cell>(cut);
  Given noisy = plain;
  add_masks(noisy);
  add_zoneout(noisy);
  check_passes<Stream, Stored, Cell>(noisy);
  add_lengths(noisy);
  add_resets(noisy);
  noisy.truncate = 3;
  check_passes<Stream, Stored, Cell>(noisy);
  if constexpr (Projectable<Cell>) {
    if (dims.projection) return;
    Dims projected = dims;
    projected.projection = 2;
    check_options<Stream, Stored, Cell>(spec, projected);
  }
}

template <class Stream, class Stored>
void check_all_cells() {
#define CHECK_CELL(name, ...) check_options<Stream, Stored, __VA_ARGS__>(CellSpec(name));
  RNNFAST_CELLS(CHECK_CELL)
#undef CHECK_CELL
}

template <class Stream, class Stored>
void check_all_chosen() {
  using T = ScalarOf<Stored>;  // of which the list is
  for (const KnownCell& known : known_cells()) {
    const std::string wanted = known.name;
    if (!known.chosen) continue;
    const CellSpec spec = testing::choosing(known);
#define CHECK_CELL(name, ...) \
  if (wanted == name) check_options<Stream, Stored, __VA_ARGS__>(spec);
    RNNFAST_CHOSEN_CELLS(CHECK_CELL)
#undef CHECK_CELL
  }
}

}  // namespace
}  // namespace rnnfast
