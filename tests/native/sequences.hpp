// Whole sequences through csrc/api alone: arrays of one layer, and the passes over them.
#pragma once

#include <limits>
#include <optional>
#include <stdexcept>

#include "api/backend.hpp"
#include "check.hpp"

namespace rnnfast::testing {

template <class T>
constexpr ScalarType scalar_type = ScalarType::float64;
template <>
inline constexpr ScalarType scalar_type<float> = ScalarType::float32;

constexpr double endless = std::numeric_limits<double>::infinity();

/// A cell by its name: with its own activations, or choosing the usual ones.
inline CellSpec choosing(const KnownCell& cell) {
  constexpr ActivationChoice sigmoid = {
      ActivationFunction::sigmoid, 0, 0, -endless, endless, endless};
  constexpr ActivationChoice tanh = {
      ActivationFunction::scaled_tanh, 1, 1, -endless, endless, endless};
  if (cell.traits.activations == 1) return CellSpec(cell.name, std::array{tanh});
  return CellSpec(cell.name, std::array{sigmoid, tanh, tanh});
}

/// All that a call of one layer in one direction reads and writes, filled at random.
template <class T>
struct Sequences {
  CellSpec cell;
  Dims dims;
  const CellTraits& traits;
  std::vector<T> weights[weight_count];
  std::vector<T> x, h0, c0, y, h_n, c_n, dy, dh_n, dc_n;
  std::vector<index> spans;
  std::vector<char> resets;
  std::vector<T> mask;            // of h
  std::vector<T> kept_h, kept_c;  // of zoneout
  index truncate = 0;

  Sequences(const CellSpec& spec, const Dims& sizes)
      : cell(spec), dims(sizes), traits(cpu_backend().traits(spec, scalar_type<T>)) {
    Random random;
    const index rows = traits.gates * dims.units;
    const index outputs = outputs_of(dims);
    const index of_weights[weight_count] = {rows * dims.inputs,
                                            rows * outputs,
                                            rows,
                                            rows,
                                            dims.projection * dims.units,
                                            traits.unit_weights * dims.units,
                                            traits.norm_rows * dims.units};
    for (int i = 0; i < weight_count; ++i) weights[i] = random.vector<T>(of_weights[i]);
    x = random.vector<T>(dims.steps * dims.rows * dims.inputs);
    dy = random.vector<T>(dims.steps * dims.rows * outputs);
    h0 = random.vector<T>(dims.rows * outputs);
    dh_n = random.vector<T>(dims.rows * outputs);
    c0 = random.vector<T>(traits.has_memory ? dims.rows * dims.units : 0);
    dc_n = random.vector<T>(traits.has_memory ? dims.rows * dims.units : 0);
    y.resize(dy.size());
    h_n.resize(h0.size());
    c_n.resize(c0.size());
  }

  /// What there is to differentiate by.
  std::vector<std::vector<T>*> arguments() {
    std::vector<std::vector<T>*> all = {&x, &h0, &c0};
    for (std::vector<T>& one : weights) all.push_back(&one);
    return all;
  }

  static T* data(std::vector<T>& of) { return of.empty() ? nullptr : of.data(); }

  Weights given() {
    Weights given = {cell, scalar_type<T>, dims, {}};
    for (int i = 0; i < weight_count; ++i) given.arrays.arrays[i] = data(weights[i]);
    return given;
  }

  Call call() {
    const index outputs = outputs_of(dims);
    Call call = {};
    call.dims = dims;
    call.x = {x.data(), dims.rows * dims.inputs, dims.inputs};
    call.initial = {h0.data(), data(c0)};
    call.y = {y.data(), dims.rows * outputs, outputs};
    call.last = {h_n.data(), data(c_n)};
    call.spans = spans.empty() ? nullptr : spans.data();
    if (!resets.empty()) call.resets = {reinterpret_cast<bool*>(resets.data()), dims.rows, 1};
    call.masks.recurrent = data(mask);
    call.masks.kept_h = {data(kept_h), dims.rows * outputs, outputs};
    call.masks.kept_c = {data(kept_c), dims.rows * dims.units, dims.units};
    return call;
  }

  CallPlan plan(Purpose purpose) {
    return cpu_backend().plan(purpose, cell, scalar_type<T>, call().sizes());
  }

  void forward() { cpu_backend().forward(given(), call(), plan(Purpose::inference)); }
  Tape forward_saving(Purpose purpose = Purpose::training) {
    return cpu_backend().forward_saving(given(), call(), plan(purpose));
  }

  /// Gates and c of all steps; zero where a sequence takes none.
  struct Traced {
    std::vector<T> gates;
    std::vector<T> c;
  };
  Traced trace(const Tape& tape) {
    const index width = traits.gates * dims.units;
    Traced found;
    found.gates.resize(static_cast<std::size_t>(dims.steps * dims.rows * width));
    found.c.resize(c0.size() * static_cast<std::size_t>(dims.steps));
    const TraceTo to = {given().arrays,
                        {found.gates.data(), dims.rows * width, width},
                        {data(found.c), dims.rows * dims.units, dims.units}};
    cpu_backend().trace(tape, to);
    return found;
  }

  /// The gradients of sum(dy y) + sum(dh_n h_n) + sum(dc_n c_n), in the places of the arguments.
  Sequences gradients(const Tape& tape) {
    Sequences found = *this;
    Pullback back = {call().x, given().arrays};
    back.resets = call().resets;
    back.masks = call().masks;
    back.truncate = truncate;
    back.dy = {dy.data(), call().y.step_stride, call().y.row_stride};
    back.d_last = {dh_n.data(), data(dc_n)};
    back.out.x = {found.x.data(), call().x.step_stride, call().x.row_stride};
    for (int i = 0; i < weight_count; ++i) {
      back.out.weights.arrays[i] = data(found.weights[i]);
    }
    back.out.initial = {found.h0.data(), data(found.c0)};
    cpu_backend().backward(tape, back);
    return found;
  }
};

/// Whether body() throws std::invalid_argument.
template <class Body>
bool is_refused(Body&& body) {
  try {
    body();
  } catch (const std::invalid_argument&) {
    return true;
  }
  return false;
}

}  // namespace rnnfast::testing
