// The forward pass of some steps in one launch, R resident. Each block for its units u and rows b,
// with * for the resident product of a phase (cuda/persistent/engine.hpp):
//
//   R = its rows of W_hh                          once
//   each step:
//     slots += R * h_prev;  gates, h, c           what the cell does, as cuda/step.hpp has it
//     h to all blocks of these rows               the exchange, and its barrier
//
// Of a cell with two phases the first makes an operand, which is exchanged as h is. Slots come with
// the input product in them and leave as gates: what is left behind is what the general driver
// leaves, step by step. Inference and training are the same launch.
#pragma once

#include "cuda/persistent/engine.hpp"
#include "cuda/persistent/steps.hpp"
#include "cuda/step.hpp"

namespace rnnfast {
namespace {

/// The steps of a launch.
template <class Cell, class Stored>
struct ForwardSteps {
  using T = ScalarOf<Stored>;
  Cell cell;
  Division division;
  StepTable table;
  Span steps;
  const Stored* w_hh[Cell::phases];  // (parts of the phase, H, H)
  T* slots;                          // (N, P, H), of the launch's rows, and so on
  States<T> before;                  // (N, H)
  Stored* operand[Cell::phases];     // (N, H); the first is h itself where that is not rounded
  States<T> after;                   // (B, H): of rows that take a step after the launch
  States<T> last;                    // (B, H): of rows that take no more
  Sequence<Stored> y;
  Masks<T> masks;
};

template <class Cell, class Stored, template <class, class> class Product,
          template <class, class> class Exchange>
struct ResidentForward : ForwardSteps<Cell, Stored> {
  using Steps = ForwardSteps<Cell, Stored>;
  using T = ScalarOf<Stored>;
  static constexpr int P = Cell::parts;
  template <class Machine>
  using ProductOn = Product<Machine, Stored>;
  template <class Machine>
  using EnginesOf = Engines<Cell::phases, Engine<Machine, Stored, Product, Exchange>>;
  using Steps::cell, Steps::division, Steps::table, Steps::steps, Steps::w_hh, Steps::slots,
      Steps::before, Steps::operand, Steps::after, Steps::last, Steps::y, Steps::masks;

  RNNFAST_BOTH explicit ResidentForward(const Steps& steps) : Steps(steps) {}

  template <class Machine>
  static int shared_bytes(const Division& by, int threads) {
    return EnginesOf<Machine>::shared_bytes(Sizes(by).of, by, threads);
  }

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Share share(m, division);
    EnginesOf<Machine> engines(m, 0, Sizes(division).of, division, share);
    for_phases<Cell::phases>([&](auto phase) {
      engines.template of<phase.value>().product.load(
          m, rows_forward(w_hh[phase.value], Cell::phase[phase.value].count(), division, share));
    });
    const StepOfLaunch first(m, table, steps, steps.begin);
    engines.template of<0>().exchange.begin(m, rows_of<0>(first), first.active);
    m.sync();
    for (index step = steps.begin; step < steps.end; ++step) {
      take<0>(m, share, engines, StepOfLaunch(m, table, steps, step));
    }
  }

 private:
  struct Sizes {
    ProductSizes of[Cell::phases];

    RNNFAST_BOTH explicit Sizes(const Division& by) {
      for_phases<Cell::phases>([&](auto phase) {
        of[phase.value] = product_sizes(Cell::phase[phase.value].count() * by.own, by.units, by);
      });
    }
  };

  template <int phase>
  RNNFAST_BOTH RowsInMemory<Stored> rows_of(const StepOfLaunch& at) const {
    return {operand[phase] + at.at * division.units, division.units};
  }

  template <int phase, class Machine, class Engines>
  RNNFAST_BOTH void take(Machine& m, const Share& share, Engines& engines,
                         const StepOfLaunch& at) const {
    auto& engine = engines.template of<phase>();
    const auto met = engine.exchange.operand(m, rows_of<phase>(at));
    for (index begin = share.begin; begin < at.active; begin += share.stride) {
      const Span rows = share.chunk(begin, at.active);
      if (begin > share.begin) m.sync();  // the chunk's before has been read
      // What needs no product is there when it is done.
      Unit first;
      if (m.thread() < share.elements(rows)) load<phase>(m, share, at, rows, m.thread(), first);
      engine.product.multiply(m, met, rows);
      m.sync();
      for (int i = m.thread(); i < share.elements(rows); i += m.threads()) {
        Unit unit = first;
        if (i != m.thread()) load<phase>(m, share, at, rows, i, unit);
        add_sums<phase>(m, engine.product, share, i, unit);
        const Element own = share.element(rows, i, division.units);
        if constexpr (phase + 1 < Cell::phases) {
          stage<phase>(m, engines, at, own, unit);
        } else {
          finish(m, engines, at, own, unit);
        }
      }
    }
    constexpr int then = (phase + 1) % Cell::phases;
    if (then > 0 || at.step + 1 < steps.end) engines.template of<then>().exchange.meet(m);
    if constexpr (then > 0) take<then>(m, share, engines, at);
  }

  /// A unit of a row before a product.
  struct Unit {
    T gate[P] = {};
    State<T> prev = {};
  };

  template <int phase, class Machine>
  RNNFAST_BOTH void load(Machine& m, const Share& share, const StepOfLaunch& at, const Span& rows,
                         int i, Unit& unit) const {
    const Element own = share.element(rows, i, division.units);
    const Finish<Cell, Stored> finish = finish_of(at);
    load_parts<Range{0, P}>(m, finish.slot(own), unit.gate);
    if constexpr (phase + 1 < Cell::phases) {
      unit.prev.h = load_as<T>(m, rows_of<0>(at).first + own.at);
    } else {
      unit.prev = state_before<Cell::has_memory>(m, finish.before, own);
    }
  }

  template <int phase, class Machine, class Sums>
  RNNFAST_BOTH void add_sums(Machine& m, const Sums& product, const Share& share, int i,
                             Unit& unit) const {
    constexpr Range parts = Cell::phase[phase];
    RNNFAST_UNROLL(16)
    for (int p = parts.begin; p < parts.end; ++p) {
      const int q = (p - parts.begin) * static_cast<int>(division.own) + share.unit_of(i);
      unit.gate[p] = unit.gate[p] + product.sum(m, share.row_of(i), q);
    }
  }

  template <int phase, class Machine, class Engines>
  RNNFAST_BOTH void stage(Machine& m, Engines& engines, const StepOfLaunch& at, const Element& own,
                          Unit& unit) const {
    const index H = division.units;
    const Stage<phase, Cell, Stored> staged = {
        cell, H, slots + at.at * P * H, operand[0] + at.at * H, operand[phase + 1] + at.at * H};
    const T made = staged.take(m, own, unit.gate, unit.prev.h);
    engines.template of<phase + 1>().exchange.publish(m, own.row, own.unit,
                                                      converted<Stored>(made));
  }

  template <class Machine, class Engines>
  RNNFAST_BOTH void finish(Machine& m, Engines& engines, const StepOfLaunch& at, const Element& own,
                           Unit& unit) const {
    const T h = finish_of(at).take(m, own, unit.gate, unit.prev);
    if (own.row >= at.next || at.step + 1 == steps.end) return;
    engines.template of<0>().exchange.publish(m, own.row, own.unit, converted<Stored>(h));
  }

  RNNFAST_BOTH Finish<Cell, Stored> finish_of(const StepOfLaunch& at) const {
    const index H = division.units;
    const bool is_last = at.step + 1 == steps.end;
    const States<T> own = states(at.at);
    const States<T> next = is_last ? after : states(at.at + at.active);
    Stored* const next_operand =
        is_last || !is_short<Stored> ? nullptr : operand[0] + (at.at + at.active) * H;
    return {cell,
            H,
            slots + at.at * P * H,
            {own.h, own.c},
            {at.rows(table), next, next_operand, last, y, masks},
            nullptr};
  }

  RNNFAST_BOTH States<T> states(index row) const {
    const index H = division.units;
    return {before.h + row * H, Cell::has_memory ? before.c + row * H : nullptr};
  }
};

}  // namespace
}  // namespace rnnfast
