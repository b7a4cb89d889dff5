// Whole sequences, forwards and backwards, without Python: against plain loops and differences.
#include <cmath>
#include <stdexcept>

#include "sequences.hpp"

namespace rnnfast {
namespace {

using testing::Sequences;

constexpr Dims small = {7, 3, 4, 5};

double sigmoid(double a) { return 1 / (1 + std::exp(-a)); }

/// Pre-activation of a weight row in a step: what W x + b gives, and what R h + b gives.
template <class T>
struct Products {
  const Sequences<T>& of;
  index t, b;
  const std::vector<double>& h;  // (B, H)

  static double at(const std::vector<T>& array, index i) {
    return static_cast<double>(array[static_cast<std::size_t>(i)]);
  }
  double input(index row) const {
    double sum = at(of.weights[static_cast<int>(WeightId::b_ih)], row);
    for (index i = 0; i < of.dims.inputs; ++i) {
      sum += at(of.weights[static_cast<int>(WeightId::w_ih)], row * of.dims.inputs + i) *
             at(of.x, (t * of.dims.rows + b) * of.dims.inputs + i);
    }
    return sum;
  }
  double recurrent(index row) const {
    double sum = at(of.weights[static_cast<int>(WeightId::b_hh)], row);
    for (index k = 0; k < of.dims.units; ++k) {
      sum += at(of.weights[static_cast<int>(WeightId::w_hh)], row * of.dims.units + k) *
             h[static_cast<std::size_t>(b * of.dims.units + k)];
    }
    return sum;
  }
};

/// y, step by step, in plain doubles.
template <class T>
std::vector<double> lstm_loop(const Sequences<T>& of, std::vector<double>& c) {
  const Dims& dims = of.dims;
  std::vector<double> h(of.h0.begin(), of.h0.end());
  c.assign(of.c0.begin(), of.c0.end());
  std::vector<double> y;
  for (index t = 0; t < dims.steps; ++t) {
    const std::vector<double> before = h;
    for (index b = 0; b < dims.rows; ++b) {
      const Products<T> products = {of, t, b, before};
      for (index unit = 0; unit < dims.units; ++unit) {
        const auto a = [&](index gate) {
          const index row = gate * dims.units + unit;
          return products.input(row) + products.recurrent(row);
        };
        const auto at = static_cast<std::size_t>(b * dims.units + unit);
        c[at] = sigmoid(a(1)) * c[at] + sigmoid(a(0)) * std::tanh(a(2));
        h[at] = sigmoid(a(3)) * std::tanh(c[at]);
      }
    }
    y.insert(y.end(), h.begin(), h.end());
  }
  return y;
}

template <class T>
std::vector<double> gru_loop(const Sequences<T>& of) {
  const Dims& dims = of.dims;
  std::vector<double> h(of.h0.begin(), of.h0.end());
  std::vector<double> y;
  for (index t = 0; t < dims.steps; ++t) {
    const std::vector<double> before = h;
    for (index b = 0; b < dims.rows; ++b) {
      const Products<T> products = {of, t, b, before};
      for (index unit = 0; unit < dims.units; ++unit) {
        const auto input = [&](index gate) { return products.input(gate * dims.units + unit); };
        const auto recurrent = [&](index gate) {
          return products.recurrent(gate * dims.units + unit);
        };
        const double r = sigmoid(input(0) + recurrent(0));
        const double z = sigmoid(input(1) + recurrent(1));
        const double n = std::tanh(input(2) + r * recurrent(2));
        const auto at = static_cast<std::size_t>(b * dims.units + unit);
        h[at] = (1 - z) * n + z * h[at];
      }
    }
    y.insert(y.end(), h.begin(), h.end());
  }
  return y;
}

template <class T>
double farthest(const std::vector<T>& got, const std::vector<double>& wanted) {
  double distance = got.size() == wanted.size() ? 0 : testing::endless;
  for (std::size_t i = 0; i < got.size() && i < wanted.size(); ++i) {
    distance = std::fmax(distance, std::fabs(static_cast<double>(got[i]) - wanted[i]));
  }
  return distance;
}

template <class T>
void check_loops() {
  const double tolerance = 64 * static_cast<double>(std::numeric_limits<T>::epsilon());
  Sequences<T> lstm(CellSpec("lstm"), {9, 3, 4, 37});
  std::vector<double> c;
  const std::vector<double> y = lstm_loop(lstm, c);
  lstm.forward();
  CHECK(farthest(lstm.y, y) <= tolerance, "y of lstm: %g", farthest(lstm.y, y));
  CHECK(farthest(lstm.c_n, c) <= tolerance, "c of lstm: %g", farthest(lstm.c_n, c));
  const std::vector<T> last(lstm.y.end() - static_cast<std::ptrdiff_t>(lstm.h_n.size()),
                            lstm.y.end());
  CHECK(lstm.h_n == last, "h_n is the last y");

  Sequences<T> gru(CellSpec("gru"), {9, 3, 4, 37});
  gru.forward();
  CHECK(farthest(gru.y, gru_loop(gru)) <= tolerance, "y of gru: %g",
        farthest(gru.y, gru_loop(gru)));
}

TEST(a_sequence_is_a_plain_loop_over_its_steps) {
  check_loops<float>();
  check_loops<double>();
}

double loss(Sequences<double> of) {
  of.forward();
  double sum = 0;
  const auto add = [&](const std::vector<double>& weights, const std::vector<double>& results) {
    for (std::size_t i = 0; i < results.size(); ++i) sum += weights[i] * results[i];
  };
  add(of.dy, of.y);
  add(of.dh_n, of.h_n);
  add(of.dc_n, of.c_n);
  return sum;
}

/// Along one random direction of all arguments at once.
void check_gradients(Sequences<double> of, Purpose purpose) {
  Sequences<double> gradients = of.gradients(of.forward_saving(purpose));
  constexpr double length = 1e-6;
  Sequences<double> ahead = of;
  Sequences<double> behind = of;
  testing::Random random;
  double told = 0;
  double size = 1;
  for (std::size_t i = 0; i < of.arguments().size(); ++i) {
    const std::vector<double>& gradient = *gradients.arguments()[i];
    for (std::size_t j = 0; j < gradient.size(); ++j) {
      const double direction = random.next();
      (*ahead.arguments()[i])[j] += length * direction;
      (*behind.arguments()[i])[j] -= length * direction;
      told += gradient[j] * direction;
      size += std::fabs(gradient[j] * direction);
    }
  }
  const double seen = (loss(ahead) - loss(behind)) / (2 * length);
  CHECK(std::fabs(seen - told) <= 1e-7 * size, "%s%s: differences %g, gradients %g", of.cell.name(),
        of.cell.chooses() ? " choosing" : "", seen, told);
}

TEST(gradients_of_every_cell_are_differences) {
  for (const KnownCell& cell : known_cells()) {
    if (cell.fixed) check_gradients({CellSpec(cell.name), small}, Purpose::training);
    if (cell.chosen) check_gradients({testing::choosing(cell), small}, Purpose::training);
  }
}

TEST(gradients_of_options_are_differences) {
  Dims projected = small;
  projected.projection = 2;
  check_gradients({CellSpec("lstm"), projected}, Purpose::training);
  Sequences<double> gru(CellSpec("gru"), small);
  gru.spans = {0, 4, 0, 7, 2, 7};
  gru.resets.assign(static_cast<std::size_t>(small.steps * small.rows), 0);
  gru.resets[5] = gru.resets[13] = 1;
  check_gradients(gru, Purpose::training);
  check_gradients(gru, Purpose::training_with_checkpoints);
}

TEST(steps_that_no_sequence_takes_change_no_gradient) {
  Dims long_after = small;  // blocks of the sums, and stretches, in which nobody takes part
  long_after.steps = 1300;
  for (const KnownCell& cell : known_cells()) {
    if (!cell.chosen) continue;
    Sequences<double> of(testing::choosing(cell), long_after);
    of.spans = {0, 4, 0, 7, 2, 7};
    check_gradients(of, Purpose::training);
    check_gradients(of, Purpose::training_with_checkpoints);
  }
}

TEST(sequences_of_no_steps_have_no_gradients_of_weights) {
  for (const char* name : {"lstm", "gru"}) {
    for (const Dims& dims : {small, Dims{2, 1, 2, 33}, Dims{2, 1, 30, 200}}) {
      Sequences<float> of(CellSpec(name), dims);
      of.gradients(of.forward_saving());  // leaves its sums in the memory that is kept
      of.spans.assign(static_cast<std::size_t>(2 * dims.rows), 0);
      const Sequences<float> found = of.gradients(of.forward_saving());
      for (const std::vector<float>& of_weights : found.weights) {
        for (const float one : of_weights)
          CHECK(one == 0, "%s: %g", name, static_cast<double>(one));
      }
    }
  }
}

TEST(a_mask_of_h_goes_with_the_tape) {
  Sequences<double> of(CellSpec("lstm"), small);
  of.mask.assign(of.h0.size(), 1.25);
  of.mask[2] = of.mask[7] = 0;
  check_gradients(of, Purpose::training);
  const Tape tape = of.forward_saving();
  of.mask.clear();
  CHECK(testing::is_refused([&] { of.gradients(tape); }), "backwards without it");
}

TEST(checkpoints_change_no_bit) {
  Sequences<float> of(CellSpec("lstm"), {700, 3, 4, 5});
  const Tape all = of.forward_saving();
  const Tape few = of.forward_saving(Purpose::training_with_checkpoints);
  CHECK(few.bytes() * 2 < all.bytes(), "%d bytes", static_cast<int>(few.bytes()));
  Sequences<float> wanted = of.gradients(all);
  Sequences<float> got = of.gradients(few);
  for (std::size_t i = 0; i < wanted.arguments().size(); ++i) {
    CHECK(*got.arguments()[i] == *wanted.arguments()[i], "argument %d", static_cast<int>(i));
  }
  CHECK(testing::is_refused([&] { cpu_backend().trace(few, {}); }), "a trace of checkpoints");
}

TEST(a_trace_shows_the_gates_and_the_memory_that_they_make) {
  Sequences<double> of(CellSpec("lstm"), small);
  const Tape tape = of.forward_saving();
  const index width = 4 * small.units;
  std::vector<double> gates(static_cast<std::size_t>(small.steps * small.rows * width));
  std::vector<double> c(of.y.size());
  cpu_backend().trace(tape, {of.given().arrays,
                             {gates.data(), small.rows * width, width},
                             {c.data(), small.rows * small.units, small.units}});
  for (index row = 0; row < small.steps * small.rows; ++row) {
    for (index unit = 0; unit < small.units; ++unit) {
      const auto gate = [&](index g) {
        return gates[static_cast<std::size_t>(row * width + g * small.units + unit)];
      };
      const index at = row * small.units + unit;
      const index before = at - small.rows * small.units;
      const double old =
          before < 0 ? of.c0[static_cast<std::size_t>(at)] : c[static_cast<std::size_t>(before)];
      const double made = gate(1) * old + gate(0) * gate(2);
      const double now = c[static_cast<std::size_t>(at)];
      CHECK(std::fabs(now - made) < 1e-14, "c %g, of the gates %g", now, made);
      const double h = gate(3) * std::tanh(now);
      CHECK(std::fabs(of.y[static_cast<std::size_t>(at)] - h) < 1e-14, "h");
    }
  }
}

template <class T>
void check_steps(const char* name) {
  Sequences<T> of(CellSpec(name), small);
  of.forward();
  const Packed packed = cpu_backend().pack(of.given());
  std::vector<T> h = of.h0;
  std::vector<T> c = of.c0;
  for (index t = 0; t < small.steps; ++t) {
    std::vector<T> next_h(h.size());
    std::vector<T> next_c(c.size());
    cpu_backend().step(packed, small.rows, of.x.data() + t * small.rows * small.inputs,
                       {h.data(), of.data(c)}, {next_h.data(), of.data(next_c)});
    h = next_h;
    c = next_c;
  }
  CHECK(h == of.h_n && c == of.c_n, "%s", name);
}

TEST(packed_steps_give_the_bits_of_the_sequence) {
  for (const char* name : {"lstm", "gru_reset_before", "rnn_relu"}) {
    check_steps<float>(name);
    check_steps<double>(name);
  }
}

}  // namespace
}  // namespace rnnfast
