// One step of every cell, where the products are a single term, so that what is left to be wrong is
// the epilogue: which gate it reads, what it computes, which lanes it writes.
#include <cmath>
#include <limits>
#include <span>

#include "base/arena.hpp"
#include "check.hpp"
#include "equations.hpp"

namespace rnnfast {
namespace {

using testing::chosen;
using testing::chosen_steps;
using testing::Random;
using testing::Step;
using testing::steps;

template <class T>
void check_cell(const Target& target, const CellKernels<T>& kernels, const Step& step, index rows,
                index units) {
  const index gates = kernels.traits.gates;
  const Dims dims = {1, rows, 1, units};
  Random random;
  const auto x = random.vector<T>(rows);
  const auto w_ih = random.vector<T>(gates * units);
  const auto diagonal = random.vector<T>(gates * units);
  const auto h0 = random.vector<T>(rows * units);
  const auto c0 = random.vector<T>(rows * units);
  std::vector<T> w_hh(static_cast<std::size_t>(gates * units * units));
  for (index row = 0; row < gates * units; ++row) {
    w_hh[static_cast<std::size_t>(row * units + row % units)] =
        diagonal[static_cast<std::size_t>(row)];
  }
  std::vector<T> y(static_cast<std::size_t>(rows * units + 1), T(9));
  std::vector<T> h_n(y.size() - 1);
  std::vector<T> c_n(y.size() - 1);
  const auto peephole = random.vector<T>(3 * units);
  const WeightSet<const T> weights = {
      {w_ih.data(), w_hh.data(), nullptr, nullptr, nullptr, peephole.data()}};
  const ForwardCall<T> call = {dims,
                               {x.data(), 0, 1},
                               {h0.data(), kernels.traits.has_memory ? c0.data() : nullptr},
                               {y.data(), 0, units},
                               {h_n.data(), kernels.traits.has_memory ? c_n.data() : nullptr},
                               nullptr,
                               {},
                               {},
                               chosen};
  const PlanSegment plan =
      make_plan(Purpose::inference, dims, kernels.traits, machine_for(1), 1).segments.front();
  const Arena packed(kernels.packed_bytes(dims, {}));
  kernels.pack(dims, weights, 1, packed.data());
  kernels.forward(kernels.epilogues, call, plan, packed.data());

  const double tolerance = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (index b = 0; b < rows; ++b) {
    for (index unit = 0; unit < units; ++unit) {
      double a[4];
      double u[4];
      for (index gate = 0; gate < gates; ++gate) {
        const auto row = static_cast<std::size_t>(gate * units + unit);
        a[gate] = static_cast<double>(x[static_cast<std::size_t>(b)]) * w_ih[row];
        u[gate] = diagonal[row];
      }
      const auto at = static_cast<std::size_t>(b * units + unit);
      double h = h0[at];
      double c = c0[at];
      double p[3];
      for (index weight = 0; weight < 3; ++weight) {
        p[weight] = peephole[static_cast<std::size_t>(weight * units + unit)];
      }
      step.run(a, u, h, c, p);
      CHECK(std::fabs(y[at] - h) <= tolerance && y[at] == h_n[at], "%s %s H=%d: y %g, wanted %g",
            target.name, step.cell, static_cast<int>(units), static_cast<double>(y[at]), h);
      CHECK(!kernels.traits.has_memory || std::fabs(c_n[at] - c) <= tolerance, "%s %s H=%d: c",
            target.name, step.cell, static_cast<int>(units));
    }
  }
  CHECK(y.back() == T(9), "%s %s H=%d wrote past y", target.name, step.cell,
        static_cast<int>(units));
}

template <class T>
void check_cells(const Target& target, const CellTable<T>& table, std::span<const Step> wanted) {
  // Where layer normalization mixes the units of a row, tests/functional/test_oracle.py sees to it.
  int alone = 0;
  for (int i = 0; i < table.count; ++i) alone += !table.cells[i].traits.whole_rows();
  CHECK(alone == static_cast<int>(wanted.size()), "%s: a cell without a test", target.name);
  for (int i = 0; i < table.count; ++i) {
    const CellKernels<T>& cell = table.cells[i];
    for (const Step& step : wanted) {
      if (std::string(step.cell) != cell.name) continue;
      const index lanes = cell.traits.lanes;
      for (const index units : {index{1}, lanes - 1, lanes, lanes + 1, 4 * lanes, 5 * lanes + 1}) {
        for (const index rows : {1, 7}) check_cell(target, cell, step, rows, units);
      }
    }
  }
}

TEST(one_step_of_every_cell_is_its_equations) {
  testing::for_each_kernel([](const Target& target, auto scalar) {
    using T = decltype(scalar);
    const ScalarKernels<T>& kernels = kernels_of<T>(target);
    check_cells<T>(target, kernels.fixed, steps);
    check_cells<T>(target, kernels.chosen, chosen_steps);
  });
}

}  // namespace
}  // namespace rnnfast
