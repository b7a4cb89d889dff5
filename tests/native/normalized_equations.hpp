// What a single step is given, in plain numbers, and one of the cells with layer normalization in
// plain doubles; those of all others are in equations.hpp.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "base/dims.hpp"
#include "equations.hpp"

namespace rnnfast::testing {

template <class T>
using Numbers = std::vector<T>;

struct Sizes {
  index rows;
  index units;
  int threads;
};

/// What a step is given, and what its gradients are of.
template <class T>
struct Given {
  Numbers<T> a;     // (B, G, H): input products
  Numbers<T> h;     // (B, H)
  Numbers<T> c;     // (B, H)
  Numbers<T> bias;  // (P, H), of norms
};

template <class T>
struct StateNumbers {
  Numbers<T> h;  // (B, H)
  Numbers<T> c;
};

template <class T>
struct Fixture {
  Numbers<T> u;     // (G, H): the diagonals of the recurrent weights
  Numbers<T> gain;  // (P, H), of norms
  Numbers<T> of_units;
};

struct Functions {
  double (*gates)(double);
  double (*candidate)(double);
  double (*output)(double);
};
inline constexpr Functions usual = {sigmoid, [](double x) { return std::tanh(x); },
                                    [](double x) { return std::tanh(x); }};
inline constexpr Functions of_choice = {of_gates, of_candidate, of_output};

/// Its parts are those of U h and of W x, then c.
class NormalizedStep {
 public:
  NormalizedStep(index gates, const Sizes& sizes, const Fixture<double>& fixture,
                 const Given<double>& given, const Functions& act)
      : G_(static_cast<std::size_t>(gates)),
        H_(static_cast<std::size_t>(sizes.units)),
        fixture_(fixture),
        given_(given),
        act_(act) {}

  StateNumbers<double> lstm() const {
    StateNumbers<double> state = {given_.h, given_.c};
    for (std::size_t row = 0; row < state.h.size() / H_; ++row) {
      const Numbers<double> hidden = norm(products(row), 0);
      const Numbers<double> input = norm(inputs(row, 0, 4), 4);
      Numbers<double> c(H_);
      for (std::size_t u = 0; u < H_; ++u) {
        const double i = act_.gates(hidden[u] + input[u]);
        const double f = act_.gates(hidden[H_ + u] + input[H_ + u]);
        const double g = act_.candidate(hidden[2 * H_ + u] + input[2 * H_ + u]);
        c[u] = f * state.c[row * H_ + u] + i * g;
        state.c[row * H_ + u] = c[u];
      }
      const Numbers<double> m = norm(c, 8);
      for (std::size_t u = 0; u < H_; ++u) {
        const double o = act_.gates(hidden[3 * H_ + u] + input[3 * H_ + u]);
        state.h[row * H_ + u] = o * act_.output(m[u]);
      }
    }
    return state;
  }

  StateNumbers<double> gru() const {
    StateNumbers<double> state = {given_.h, Numbers<double>(given_.h.size())};
    for (std::size_t row = 0; row < state.h.size() / H_; ++row) {
      const Numbers<double> all = products(row);
      const auto of_n = all.begin() + static_cast<std::ptrdiff_t>(2 * H_);
      const Numbers<double> hidden = norm({all.begin(), of_n}, 0);
      const Numbers<double> m = norm({of_n, all.end()}, 2);
      const Numbers<double> input = norm(inputs(row, 0, 2), 3);
      const Numbers<double> of_input = norm(inputs(row, 2, 3), 5);
      for (std::size_t u = 0; u < H_; ++u) {
        const double r = act_.gates(hidden[u] + input[u]);
        const double z = act_.gates(hidden[H_ + u] + input[H_ + u]);
        const double n = act_.candidate(of_input[u] + r * m[u]);
        double& h = state.h[row * H_ + u];
        h = (1 - z) * n + z * h;
      }
    }
    return state;
  }

 private:
  Numbers<double> inputs(std::size_t row, std::size_t first, std::size_t end) const {
    const auto from = given_.a.begin() + static_cast<std::ptrdiff_t>(row * G_ * H_);
    return {from + static_cast<std::ptrdiff_t>(first * H_),
            from + static_cast<std::ptrdiff_t>(end * H_)};
  }
  Numbers<double> products(std::size_t row) const {
    Numbers<double> made(G_ * H_);
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i] = fixture_.u[i] * given_.h[row * H_ + i % H_];
    }
    return made;
  }
  /// With the gains and biases from a part on.
  Numbers<double> norm(Numbers<double> v, std::size_t part) const {
    double mean = 0;
    double square = 0;
    const auto count = static_cast<double>(v.size());
    for (const double x : v) mean += x / count;
    for (const double x : v) square += (x - mean) * (x - mean) / count;
    for (std::size_t i = 0; i < v.size(); ++i) {
      v[i] = (v[i] - mean) / std::sqrt(square + 1e-5) * fixture_.gain[part * H_ + i] +
             given_.bias[part * H_ + i];
    }
    return v;
  }

  std::size_t G_;
  std::size_t H_;
  const Fixture<double>& fixture_;
  const Given<double>& given_;
  const Functions act_;
};

}  // namespace rnnfast::testing
