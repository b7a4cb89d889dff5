// Whole sequences by the general driver, against the same by the CPU's kernels. Stream says on what
// device: an emulated one, or a GPU.
#pragma once

#include <algorithm>
#include <cmath>

#include "../native/sequences.hpp"
#include "cells/registry.hpp"
#include "cuda/general/passes.hpp"

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

/// A call's arrays on the device of a stream.
template <class Stream, class T>
class OnDevice {
 public:
  using Device = typename Stream::Device;

  OnDevice(Device& device, const Sequences<T>& of) : device_(device), of_(of), rows_(ranked(of)) {
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
    forward.masks = {copy("mask", of.mask),
                     {copy("kept h", of.kept_h), dims.rows * R, R},
                     {copy("kept c", of.kept_c), dims.rows * dims.units, dims.units}};
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
  }

  /// Both passes.
  template <class Cell>
  void run(Stream& stream, const GeneralPlan& plan) {
    const Memory memory{device_};
    PackedWeights<Cell, T> packed(of_.dims);
    packed.place(memory);
    general_pack(stream, weights, packed);
    GeneralTape<Cell, T> tape(of_.dims, plan);
    tape.place(memory);
    general_forward(stream, forward, packed, tape);
    general_backward(stream, backward, tape);
  }

  /// Compares one of the device's arrays with what it must be.
  void check(const char* what, const T* got, const std::vector<T>& wanted) const {
    if (wanted.empty()) return;
    CHECK(device_.unwritten(got, wanted.size()) == 0, "%s %s", of_.cell.name(), what);
    const std::vector<T> numbers = device_.numbers(got, wanted.size());
    double size = 1;
    double worst = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const double off =
          std::fabs(static_cast<double>(numbers[i]) - static_cast<double>(wanted[i]));
      size = std::fmax(size, std::fabs(static_cast<double>(wanted[i])));
      worst = off > worst || std::isnan(off) ? off : worst;
    }
    const double tolerance = 256 * static_cast<double>(std::numeric_limits<T>::epsilon());
    CHECK(worst <= tolerance * size, "%s%s %s: off by %g of %g", of_.cell.name(),
          of_.cell.chooses() ? " choosing" : "", what, worst, size);
  }

  ForwardCall<T> forward = {};
  BackwardCall<T> backward = {};
  WeightSet<const T> weights;

 private:
  /// Arrays that stay (general/tape.hpp).
  struct Memory {
    Device& device;

    template <class N>
    N* take(index count) const {
      return device.template reserve<N>("kept", static_cast<std::size_t>(count));
    }
  };

  T* copy(const char* name, const std::vector<T>& numbers) {
    return numbers.empty() ? nullptr : device_.copy(name, numbers);
  }
  T* reserve(const char* name, const std::vector<T>& like) {
    return like.empty() ? nullptr : device_.template reserve<T>(name, like.size());
  }

  Device& device_;
  const Sequences<T>& of_;
  const std::vector<SequenceRow> rows_;
};

template <class Stream, class Cell, class T>
void check_passes(Sequences<T> of) {
  typename Stream::Device device;
  Stream stream(device);
  OnDevice<Stream, T> there(device, of);
  there.template run<Cell>(stream, general_plan(of.dims, Kept::all, !of.mask.empty()));

  const Sequences<T> d = of.gradients(of.forward_saving());
  there.check("y", there.forward.y.data, of.y);
  there.check("h_n", there.forward.last.h, of.h_n);
  there.check("c_n", there.forward.last.c, of.c_n);
  there.check("dx", there.backward.out.x.data, d.x);
  there.check("dh0", there.backward.out.initial.h, d.h0);
  there.check("dc0", there.backward.out.initial.c, d.c0);
  const char* const names[weight_count] = {"dw_ih", "dw_hh",      "db_ih",     "db_hh",
                                           "dw_hr", "d of units", "d of norms"};
  for (int i = 0; i < weight_count; ++i) {
    there.check(names[i], there.backward.out.weights.arrays[i], d.weights[i]);
  }
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

template <class Stream, class Cell, class T>
void check_options(const CellSpec& spec, const Dims& dims = small) {
  const Sequences<T> plain(spec, dims);
  check_passes<Stream, Cell>(plain);
  Sequences<T> ragged = plain;
  add_lengths(ragged);
  check_passes<Stream, Cell>(ragged);
  Sequences<T> cut = plain;
  add_resets(cut);
  cut.truncate = 2;
  check_passes<Stream, Cell>(cut);
  Sequences<T> noisy = plain;
  add_masks(noisy);
  add_zoneout(noisy);
  check_passes<Stream, Cell>(noisy);
  add_lengths(noisy);
  add_resets(noisy);
  noisy.truncate = 3;
  check_passes<Stream, Cell>(noisy);
  if constexpr (Projectable<Cell>) {
    if (dims.projection) return;
    Dims projected = dims;
    projected.projection = 2;
    check_options<Stream, Cell, T>(spec, projected);
  }
}

template <class Stream, class T>
void check_all_cells() {
#define CHECK_CELL(name, ...) check_options<Stream, __VA_ARGS__, T>(CellSpec(name));
  RNNFAST_CELLS(CHECK_CELL)
#undef CHECK_CELL
}

template <class Stream, class T>
void check_all_chosen() {
  for (const KnownCell& known : known_cells()) {
    const std::string wanted = known.name;
    if (!known.chosen) continue;
    const CellSpec spec = testing::choosing(known);
#define CHECK_CELL(name, ...) \
  if (wanted == name) check_options<Stream, __VA_ARGS__, T>(spec);
    RNNFAST_CHOSEN_CELLS(CHECK_CELL)
#undef CHECK_CELL
  }
}

}  // namespace
}  // namespace rnnfast
