// One step of every cell by the kernels of csrc/cuda/, on a GPU or an emulated one: a `Device` has
// memory and runs kernels (native/emulation/device.hpp, cuda/gpu_device.cuh). Products are a single
// term, so that what is left to be wrong is the kernels': values are compared with plain doubles,
// gradients with differences of values along a direction that moves all there is. h is a number of
// 16 bits, so that it is an operand as it is.
#pragma once

#include <cfloat>
#include <cmath>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>

#include "../native/check.hpp"
#include "../native/normalized_equations.hpp"
#include "cells/registry.hpp"
#include "cuda/normalized_step.hpp"
#include "cuda/step.hpp"
#include "rounding.hpp"

namespace rnnfast {
namespace {

using testing::chosen;
using testing::Fixture;
using testing::Functions;
using testing::Given;
using testing::NormalizedStep;
using testing::Numbers;
using testing::Random;
using testing::Sizes;
using testing::StateNumbers;
using testing::Step;

/// The same numbers in another type.
template <class To, class From>
Numbers<To> as(const Numbers<From>& numbers) {
  Numbers<To> found;
  for (const From number : numbers) found.push_back(converted<To>(number));
  return found;
}

template <class Device, class Cell, class Stored>
class StepByKernels {
  using T = ScalarOf<Stored>;
  static constexpr int P = Cell::parts;
  static constexpr int G = Cell::gates;

 public:
  StepByKernels(const char* name, const Sizes& sizes, const Fixture<T>& fixture,
                const Given<T>& given)
      : name_(name),
        sizes_(sizes),
        fixture_(fixture),
        given_(given),
        cell_{{}, decltype(Cell::act)(chosen)},
        before_{device_.copy("h", given.h), device_.copy("c", given.c)},
        operand_(device_.copy("operand", as<Stored>(given.h))),
        after_{device_.template reserve<T>("new h", of(1)),
               device_.template reserve<T>("new c", of(1))},
        of_units_(device_.copy("unit weights", fixture.of_units)),
        norm_{device_.copy("gain", fixture.gain), device_.copy("bias", given.bias)},
        scales_(device_.template reserve<T>("scales", of(1) * std::size_t(scales<Cell>() + 1))) {}

  /// The state after the step.
  StateNumbers<T> forward() {
    Numbers<T> slots(of(P));
    for_each_part([&](std::size_t slot, std::size_t gate, std::size_t, int p) {
      slots[slot] = Cell::input.has(p) ? given_.a[gate] : T(0);
    });
    slots_ = device_.copy("slots", slots);
    add_product(0, operand_);
    if constexpr (Cell::phases == 2) {
      Stored* const operand = device_.template reserve<Stored>("operand", of(1));
      by_elements(Stage<0, Cell, Stored>{cell_, sizes_.units, slots_, operand_, operand});
      add_product(1, operand);
    }
    Stored* const y = device_.template reserve<Stored>("y", of(1));
    Stored* const next = device_.template reserve<Stored>("next operand", of(1));
    const StateAfter<Stored> after = {rows(), after_, next, {}, {y, 0, sizes_.units}, {}};
    if constexpr (Normalized<Cell>) {
      by_rows(FinishNormalized<Cell, Stored>{cell_, sizes_.units, slots_, scales_, norm_, before_,
                                             after});
    } else {
      by_elements(Finish<Cell, Stored>{cell_, sizes_.units, slots_, before_, after, of_units_});
    }
    const Numbers<T> stored = as<T>(as<Stored>(device_.numbers(after_.h, of(1))));
    CHECK(as<T>(device_.numbers(y, of(1))) == stored, "%s: y", name_);
    CHECK(as<T>(device_.numbers(next, of(1))) == stored, "%s: the next operand", name_);
    CHECK(device_.unwritten(after_.h, of(1)) == 0, "%s: h", name_);
    const bool c_there = !Cell::has_memory || device_.unwritten(after_.c, of(1)) == 0;
    CHECK(c_there, "%s: c", name_);
    return {device_.numbers(after_.h, of(1)),
            Cell::has_memory ? device_.numbers(after_.c, of(1)) : Numbers<T>(of(1))};
  }

  /// From the gradient of the state after the step, those of what it was given. After forward().
  Given<T> backward(const Numbers<T>& dh, const Numbers<T>& dc) {
    const States<T> d = {device_.copy("dh", dh), device_.copy("dc", dc)};
    const StateGradients<Stored> gradients = {rows(), d, {}, {}, nullptr, {}, false, {}};
    deltas_ = device_.template reserve<Stored>("deltas", of(P));
    T* const whole =
        is_short<Stored> ? device_.template reserve<T>("whole deltas", of(P)) : if_same<T>(deltas_);
    if constexpr (Normalized<Cell>) {
      by_rows(StepBackwardNormalized<Cell, Stored>{cell_, sizes_.units, slots_, scales_, norm_,
                                                   before_, gradients, whole, deltas_});
    } else {
      by_elements(StepBackward<Cell, Stored>{cell_, sizes_.units, slots_, before_, gradients,
                                             deltas_, whole, of_units_});
    }
    if constexpr (Cell::phases == 2) {
      T* const d_operand = device_.copy("d operand", Numbers<T>(of(1)));
      add_product_of_deltas(1, d_operand);
      by_elements(Unstage<1, Cell, Stored>{cell_, sizes_.units, slots_, operand_, d_operand, d.h,
                                           whole, deltas_});
    }
    const bool known = Normalized<Cell> && is_short<Stored>
                           ? device_.unwritten(whole, of(P)) == of(Cell::input.begin)
                           : device_.unwritten(deltas_, of(P)) == 0;
    CHECK(known, "%s: deltas", name_);
    add_product_of_deltas(0, d.h);
    Given<T> found = {Numbers<T>(of(G)), device_.numbers(d.h, of(1)), device_.numbers(d.c, of(1)),
                      Numbers<T>(given_.bias.size())};
    const Numbers<T> deltas = Normalized<Cell> ? device_.numbers(whole, of(P)) : deltas_now();
    for_each_part([&](std::size_t slot, std::size_t gate, std::size_t of_part, int p) {
      if constexpr (Normalized<Cell>) {
        const index kept = (Cell::delta_of[p] - p) * sizes_.units;
        if (has_bias(p)) found.bias[of_part] += deltas[slot + static_cast<std::size_t>(kept)];
      } else if (Cell::input.has(p)) {
        found.a[gate] += deltas[slot];
      }
    });
    if (!Cell::has_memory) found.c.assign(found.c.size(), 0);
    return found;
  }

 private:
  /// All of which take the next step too.
  StepRows rows() const { return {nullptr, 0, sizes_.rows}; }

  std::size_t of(int numbers) const {
    return static_cast<std::size_t>(sizes_.rows * sizes_.units * numbers);
  }

  template <class Kernel>
  void by_elements(const Kernel& kernel) {
    const index blocks = sizes_.rows * blocks_of_row(sizes_.units, sizes_.threads);
    device_.run({static_cast<int>(blocks), sizes_.threads}, kernel);
  }
  template <class Kernel>
  void by_rows(const Kernel& kernel) {
    device_.run({static_cast<int>(sizes_.rows), sizes_.threads, 1,
                 static_cast<int>(row_sum_bytes<T>(sizes_.threads))},
                kernel);
  }

  static bool has_bias(int part) {
    for (const Range& norm : Cell::norm) {
      if (norm.has(part)) return true;
    }
    if constexpr (NormalizesMemory<Cell>) return part == Cell::memory_part;
    return false;
  }

  /// body(in slots, in (B, G, H), in (P, H), part)
  template <class Body>
  void for_each_part(Body&& body) const {
    const index H = sizes_.units;
    for (index row = 0; row < sizes_.rows; ++row) {
      for (int p = 0; p < P; ++p) {
        for (index unit = 0; unit < H; ++unit) {
          body(static_cast<std::size_t>((row * P + p) * H + unit),
               static_cast<std::size_t>((row * G + Cell::gate_of[p]) * H + unit),
               static_cast<std::size_t>(p * H + unit), p);
        }
      }
    }
  }
  /// body(in slots, in (B, H), weight) for the parts of a phase's product.
  template <class Body>
  void for_each_term(int phase, Body&& body) const {
    const auto H = static_cast<std::size_t>(sizes_.units);
    for_each_part([&](std::size_t slot, std::size_t gate, std::size_t, int p) {
      if (!Cell::phase[phase].has(p)) return;
      body(slot, gate / (G * H) * H + gate % H, fixture_.u[gate % fixture_.u.size()]);
    });
  }

  Numbers<T> deltas_now() const { return as<T>(device_.numbers(deltas_, of(P))); }

  void add_product(int phase, const Stored* operand) {
    const Numbers<T> h = as<T>(device_.numbers(operand, of(1)));
    Numbers<T> slots = device_.numbers(slots_, of(P));
    for_each_term(phase, [&](std::size_t slot, std::size_t at, T u) { slots[slot] += u * h[at]; });
    device_.write(slots_, slots);
  }
  void add_product_of_deltas(int phase, T* d_operand) {
    const Numbers<T> deltas = deltas_now();
    Numbers<T> d = device_.numbers(d_operand, of(1));
    for_each_term(phase, [&](std::size_t slot, std::size_t at, T u) { d[at] += u * deltas[slot]; });
    device_.write(d_operand, d);
  }

  const char* name_;
  const Sizes sizes_;
  const Fixture<T>& fixture_;
  const Given<T>& given_;
  const Cell cell_;
  Device device_;
  const States<const T> before_;
  const Stored* operand_;  // h
  const States<T> after_;
  const T* of_units_;
  const NormArrays<T> norm_;
  T* scales_;
  T* slots_ = nullptr;
  Stored* deltas_ = nullptr;
};

template <class T>
Given<T> as(const Given<double>& of) {
  return {as<T>(of.a), as<T>(of.h), as<T>(of.c), as<T>(of.bias)};
}

template <class T>
double largest(const Numbers<T>& of) {
  double found = 1;
  for (const T number : of) found = std::fmax(found, std::fabs(static_cast<double>(number)));
  return found;
}

template <class T>
double worst_difference(const Numbers<T>& got, const Numbers<double>& wanted) {
  double worst = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double off = std::fabs(static_cast<double>(got[i]) - wanted[i]);
    worst = off > worst || std::isnan(off) ? off : worst;
  }
  return worst;
}

inline double dot(const Numbers<double>& a, const Numbers<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// The state after a step of a cell whose units do not meet.
inline StateNumbers<double> plain_step(const Step& step, index gates, const Sizes& sizes,
                                       const Fixture<double>& fixture, const Given<double>& given) {
  const auto H = static_cast<std::size_t>(sizes.units);
  StateNumbers<double> state = {given.h, given.c};
  for (std::size_t at = 0; at < state.h.size(); ++at) {
    double a[4];
    double u[4];
    double p[3];
    for (std::size_t g = 0; g < static_cast<std::size_t>(gates); ++g) {
      a[g] = given.a[(at / H * static_cast<std::size_t>(gates) + g) * H + at % H];
      u[g] = fixture.u[g * H + at % H];
    }
    for (std::size_t w = 0; w < 3; ++w) p[w] = fixture.of_units[w * H + at % H];
    step.run(a, u, state.h[at], state.c[at], p);
  }
  return state;
}

/// A point of everything that a step is given, moved along a direction.
inline Given<double> moved(Given<double> at, const Given<double>& along, double by) {
  const auto move = [by](Numbers<double>& numbers, const Numbers<double>& way) {
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] += by * way[i];
  };
  move(at.a, along.a);
  move(at.h, along.h);
  move(at.c, along.c);
  move(at.bias, along.bias);
  return at;
}

struct StepInDoubles {
  const char* name;
  const char* type;
  const Sizes& sizes;
  const Fixture<double>& fixture;
  const Given<double>& given;
  const Numbers<double>& dh;
  const Numbers<double>& dc;
};

/// The same in float32, within its precision, but for operands: those of the second phase, and
/// deltas, are rounded to what is stored.
template <class Device, class Cell, class Stored>
void check_in_float32(const StepInDoubles& of, const Numbers<double>& h, const Numbers<double>& c,
                      const Given<double>& d) {
  const Fixture<float> fixture = {as<float>(of.fixture.u), as<float>(of.fixture.gain),
                                  as<float>(of.fixture.of_units)};
  const Given<float> given = as<float>(of.given);
  StepByKernels<Device, Cell, Stored> step(of.name, of.sizes, fixture, given);
  const StateNumbers<float> got = step.forward();
  // A row of one or two units is normalized by what rounding leaves of it.
  const double own = (Normalized<Cell> ? 256 : 32) * double(FLT_EPSILON);
  const double of_h = own + (Cell::phases == 2 ? rounding<Stored> : 0);
  CHECK(worst_difference(got.h, h) < of_h, "%s: h in %s", of.name, of.type);
  CHECK(worst_difference(got.c, c) < own, "%s: c in %s", of.name, of.type);
  const Given<float> found = step.backward(as<float>(of.dh), as<float>(of.dc));
  const double of_a = own + rounding<Stored> * largest(d.a);
  CHECK(worst_difference(found.a, d.a) < of_a, "%s: da in %s", of.name, of.type);
  const double of_dh = 4 * (own + rounding<Stored> * largest(d.h));
  CHECK(worst_difference(found.h, d.h) < of_dh, "%s: dh in %s", of.name, of.type);
  CHECK(worst_difference(found.c, d.c) < 4 * own, "%s: dc in %s", of.name, of.type);
}

template <class Device, class Cell32, class Cell64, class Reference>
void check_cell(const char* name, const Sizes& sizes, Reference&& reference) {
  Random random;
  const auto draw = [&](index count) { return as<double>(random.vector<float>(count)); };
  const index BH = sizes.rows * sizes.units;
  const index PH = Cell64::parts * sizes.units;
  const index GH = Cell64::gates * sizes.units;
  Fixture<double> fixture = {draw(GH), draw(PH), draw(3 * sizes.units)};
  for (double& gain : fixture.gain) gain += 1.5;
  const auto draw_given = [&] {
    return Given<double>{draw(sizes.rows * GH), draw(BH), draw(BH), draw(PH)};
  };
  Given<double> given = draw_given();
  for (double& h : given.h) h = converted<double>(converted<Float16>(converted<Bfloat16>(h)));
  const Numbers<double> dh = draw(BH);
  const Numbers<double> dc = Cell64::has_memory ? draw(BH) : Numbers<double>(std::size_t(BH));

  StepByKernels<Device, Cell64, double> step(name, sizes, fixture, given);
  const StateNumbers<double> got = step.forward();
  const StateNumbers<double> wanted = reference(fixture, given);
  CHECK(worst_difference(got.h, wanted.h) < 1e-14, "%s H=%d: h", name, int(sizes.units));
  CHECK(!Cell64::has_memory || worst_difference(got.c, wanted.c) < 1e-14, "%s: c", name);

  const Given<double> d = step.backward(dh, dc);
  Given<double> along = draw_given();
  // Input products are normalized first: their gradients come from many steps at once.
  if (Normalized<Cell64>) along.a.assign(along.a.size(), 0);
  constexpr double by = 1e-6;
  const auto value = [&](double way) {
    const Given<double> there = moved(given, along, way);
    const auto state = StepByKernels<Device, Cell64, double>(name, sizes, fixture, there).forward();
    return dot(dh, state.h) + dot(dc, state.c);
  };
  const double slope = (value(by) - value(-by)) / (2 * by);
  const double predicted =
      dot(d.a, along.a) + dot(d.h, along.h) + dot(d.c, along.c) + dot(d.bias, along.bias);
  CHECK(std::fabs(slope - predicted) <= 1e-7 * (1 + std::fabs(slope)), "%s H=%d: %g, wanted %g",
        name, int(sizes.units), predicted, slope);

  const auto check_in = [&](auto stored, const char* type) {
    check_in_float32<Device, Cell32, decltype(stored)>({name, type, sizes, fixture, given, dh, dc},
                                                       wanted.h, got.c, d);
  };
  check_in(float{}, "float32");
  check_in(Float16{}, "float16");
  check_in(Bfloat16{}, "bfloat16");
}

const Sizes all_sizes[] = {{1, 1, 32}, {3, 33, 32}, {2, 70, 64}, {1, 64, 64}};

template <class Device, class Cell32, class Cell64>
void check_at_all_sizes(const char* name, std::span<const Step> steps, const Functions& act) {
  for (const Sizes& sizes : all_sizes) {
    if constexpr (Normalized<Cell64>) {
      check_cell<Device, Cell32, Cell64>(name, sizes, [&](const auto& fixture, const auto& given) {
        const NormalizedStep by_hand(Cell64::gates, sizes, fixture, given, act);
        return Cell64::has_memory ? by_hand.lstm() : by_hand.gru();
      });
    } else {
      int found = 0;
      for (const Step& step : steps) {
        if (std::string(step.cell) != name) continue;
        ++found;
        check_cell<Device, Cell32, Cell64>(
            name, sizes, [&](const auto& fixture, const auto& given) {
              return plain_step(step, Cell64::gates, sizes, fixture, given);
            });
      }
      CHECK(found == 1, "%s: a cell without equations", name);
    }
  }
}

template <class Device>
void check_cells() {
#define CHECK_CELL(name, ...) \
  check_at_all_sizes<Device, __VA_ARGS__, __VA_ARGS__>(name, testing::steps, testing::usual);
  RNNFAST_CELLS(CHECK_CELL)
#undef CHECK_CELL
}

template <class T>
struct ChosenCells {
#define NAME_CELL(name, ...) __VA_ARGS__,
  using All = std::tuple<RNNFAST_CHOSEN_CELLS(NAME_CELL) void>;
#undef NAME_CELL
};

template <class Device, std::size_t i = 0>
void check_chosen_cells() {
#define NAME_OF(name, ...) name,
  constexpr const char* names[] = {RNNFAST_CHOSEN_CELLS(NAME_OF)};
#undef NAME_OF
  using Cell32 = std::tuple_element_t<i, typename ChosenCells<float>::All>;
  using Cell64 = std::tuple_element_t<i, typename ChosenCells<double>::All>;
  if constexpr (!std::is_void_v<Cell64>) {
    check_at_all_sizes<Device, Cell32, Cell64>(names[i], testing::chosen_steps, testing::of_choice);
    check_chosen_cells<Device, i + 1>();
  }
}

}  // namespace
}  // namespace rnnfast
