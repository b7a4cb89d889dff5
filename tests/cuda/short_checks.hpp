// What is particular to arrays of 16 bits: numbers that they have not, and what is left of those
// that float32 has and they have not.
#pragma once

#include "pass_checks.hpp"

namespace rnnfast {
namespace {

/// y = relu(w x) of single steps, where w x is exact in float32: what is nearest to it, whether it
/// overflows, loses bits as it is subnormal, or lies in the middle.
template <class Stream, class Stored>
void check_what_is_written(const std::vector<float>& x, const std::vector<float>& w) {
  const Dims dims = {1, static_cast<index>(x.size()), 1, static_cast<index>(w.size())};
  Sequences<double> of(CellSpec("rnn_relu"), dims);
  for (auto* const argument : of.arguments()) argument->assign(argument->size(), 0);
  of.x.assign(x.begin(), x.end());
  of.weights[static_cast<int>(WeightId::w_ih)].assign(w.begin(), w.end());
  typename Stream::Device device;
  Stream stream(device);
  OnDevice<Stream, Stored> there(device, of);
  there.template run<Rnn<Fixed<Relu>>>(stream, general_plan(dims, Kept::all, false));
  const std::vector<Stored> y = device.numbers(there.forward.y.data, x.size() * w.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float exact = x[i / w.size()] * w[i % w.size()];
    const unsigned wanted = nearest<Stored>(exact > 0 ? exact : 0.0f).bits;
    CHECK(y[i].bits == wanted, "%a became %04x, not %04x", static_cast<double>(exact), y[i].bits,
          wanted);
  }
}

/// Numbers of `Stored` whose products are from its smallest to past its largest.
template <class Stored>
std::vector<float> of_all_sizes(int lowest, int highest) {
  std::vector<float> numbers;
  for (int power = lowest; power <= highest; power += 3) {
    const auto size = static_cast<float>(std::ldexp(1, power));
    for (const float digits : {1.0f, 1.0078125f, 1.5f, -1.25f, 1.9921875f}) {
      numbers.push_back(converted<float>(converted<Stored>(digits * size)));
    }
  }
  return numbers;
}

/// NaN and infinities go where they go on the CPU, and nowhere else.
template <class Stream, class Stored, class Cell>
void check_what_is_not_finite(const char* name) {
  Sequences<double> of(CellSpec(name), small);
  const auto x = [&](index step, index sequence) -> double& {
    return of.x[static_cast<std::size_t>((step * small.rows + sequence) * small.inputs)];
  };
  add_lengths(of);
  x(0, 0) = std::numeric_limits<double>::quiet_NaN();  // a step that is not taken
  x(3, 3) = std::numeric_limits<double>::quiet_NaN();
  x(2, 1) = HUGE_VAL;
  of.h0[static_cast<std::size_t>(2 * small.units)] = -HUGE_VAL;
  check_passes<Stream, Stored, Cell>(of, rounded_often<Stored>);
}

template <class Stream, class Stored>
void check_extremes() {
  const bool is_float16 = std::is_same_v<Stored, Float16>;
  const std::vector<float> sizes =
      is_float16 ? of_all_sizes<Stored>(-12, 12) : of_all_sizes<Stored>(-60, 63);
  check_what_is_written<Stream, Stored>(sizes, {1.0f, sizes[2], 1.015625f, sizes.back(), -1.0f});
  check_what_is_not_finite<Stream, Stored, Lstm<Usual, Forget::own>>("lstm");
  check_what_is_not_finite<Stream, Stored, Gru<Usual>>("gru");
}

/// Units in more than one block, numbers that fill no vector.
template <class Stream, class Stored>
void check_odd_sizes() {
  constexpr Dims odd = {3, 2, 7, 35};
  check_passes<Stream, Stored, Lstm<Usual, Forget::own>>(Sequences<double>(CellSpec("lstm"), odd));
  check_passes<Stream, Stored, Gru<Usual>>(Sequences<double>(CellSpec("gru"), odd));
  check_passes<Stream, Stored, LstmNorm<Usual>>(Sequences<double>(CellSpec("lstm_norm"), odd));
}

}  // namespace
}  // namespace rnnfast
