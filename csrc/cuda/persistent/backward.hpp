// The backward pass of some steps in one launch, R^T resident, from the last step. Each block for
// its units u and rows b, with * for the resident product of a phase (cuda/persistent/engine.hpp):
//
//   R^T = its columns of W_hh                          once
//   each step:
//     deltas, dh_prev as far as no weight is involved  what the cell does, as cuda/step.hpp has it
//     deltas to all blocks of these rows               the exchange, and its barrier
//     dh_prev += R^T * deltas                          of a later phase: its operand's, unstaged
//
// Deltas of all steps are left behind, and of them the weights' gradients are made in one product:
// every sum has an order of its own, whatever blocks do when.
#pragma once

#include "cuda/persistent/engine.hpp"
#include "cuda/persistent/steps.hpp"
#include "cuda/step.hpp"

namespace rnnfast {
namespace {

/// The steps of a launch.
template <class Cell, class Stored>
struct BackwardSteps {
  using T = ScalarOf<Stored>;
  Cell cell;
  Division division;
  StepTable table;
  Span steps;
  const Stored* w_hh[Cell::phases];  // (parts of the phase, H, H)
  const T* slots;                    // (N, P, H): gates, of the launch's rows, and so on
  States<const T> before;            // (N, H)
  const Stored* operand;             // (N, H): h, as the first product met it
  Stored* deltas;                    // (N, P, H)
  T* waiting;                        // (B, P, H): deltas of parts that wait, before they are stored
  States<T> d;                       // (B, H): of the states after the launch, then before it
  States<const Stored> d_last;
  Sequence<const Stored> dy;
  Masks<T> masks;
  index truncate;
};

template <class Cell, class Stored, template <class, class> class Product,
          template <class, class> class Exchange>
struct ResidentBackward : BackwardSteps<Cell, Stored> {
  using Steps = BackwardSteps<Cell, Stored>;
  using T = ScalarOf<Stored>;
  static constexpr int P = Cell::parts;
  template <class Machine>
  using ProductOn = Product<Machine, Stored>;
  template <class Machine>
  using EnginesOf = Engines<Cell::phases, Engine<Machine, Stored, Product, Exchange>>;
  using Steps::cell, Steps::division, Steps::table, Steps::steps, Steps::w_hh, Steps::slots,
      Steps::before, Steps::operand, Steps::deltas, Steps::waiting, Steps::d, Steps::d_last,
      Steps::dy, Steps::masks, Steps::truncate;

  RNNFAST_BOTH explicit ResidentBackward(const Steps& steps) : Steps(steps) {}

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
          m, rows_backward(w_hh[phase.value], Cell::phase[phase.value].count(), division, share));
    });
    m.sync();
    for (index step = steps.end - 1; step >= steps.begin; --step) {
      const StepOfLaunch at(m, table, steps, step);
      step_back(m, share, engines, at);
      multiply<Cell::phases - 1>(m, share, engines, at);
    }
  }

 private:
  struct Sizes {
    ProductSizes of[Cell::phases];

    RNNFAST_BOTH explicit Sizes(const Division& by) {
      for_phases<Cell::phases>([&](auto phase) {
        of[phase.value] = product_sizes(by.own, Cell::phase[phase.value].count() * by.units, by);
      });
    }
  };

  /// body(rows of a chunk) for all of a step.
  template <class Body>
  RNNFAST_BOTH void for_chunks(const Share& share, const StepOfLaunch& at, Body&& body) const {
    for (index begin = share.begin; begin < at.active; begin += share.stride) {
      body(share.chunk(begin, at.active));
    }
  }

  template <class Machine, class Engines>
  RNNFAST_BOTH void step_back(Machine& m, const Share& share, Engines& engines,
                              const StepOfLaunch& at) const {
    const index H = division.units;
    const States<const T> states = {before.h + at.at * H,
                                    Cell::has_memory ? before.c + at.at * H : nullptr};
    const bool truncated = truncate && (at.step + 1) % truncate == 0;
    const StepBackward<Cell, Stored> back = {
        cell,
        H,
        slots + at.at * P * H,
        states,
        {at.rows(table), d, d_last, dy, nullptr, {}, truncated, masks},
        deltas_of(at),
        waiting_of(at),
        nullptr};
    for_chunks(share, at, [&](const Span& rows) {
      for (int i = m.thread(); i < share.elements(rows); i += m.threads()) {
        const Element own = share.element(rows, i, H);
        T delta[P];
        back.take(m, own, delta);
        publish<Cell::phases - 1>(m, engines, own, delta);
      }
    });
  }

  /// What a phase's deltas give.
  template <int phase, class Machine, class Engines>
  RNNFAST_BOTH void multiply(Machine& m, const Share& share, Engines& engines,
                             const StepOfLaunch& at) const {
    const index H = division.units;
    auto& engine = engines.template of<phase>();
    engine.exchange.meet(m);
    const auto met = engine.exchange.operand(
        m, RowsInMemory<Stored>{deltas_of(at) + Cell::phase[phase].begin * H, P * H});
    for_chunks(share, at, [&](const Span& rows) {
      if (rows.begin > share.begin) m.sync();  // the chunk's before has been read
      engine.product.multiply(m, met, rows);
      m.sync();
      for (int i = m.thread(); i < share.elements(rows); i += m.threads()) {
        const Element own = share.element(rows, i, H);
        const T sum = engine.product.sum(m, share.row_of(i), share.unit_of(i));
        if constexpr (phase == 0) {
          m.store(d.h + own.at, m.load(d.h + own.at) + sum);
        } else {
          unstage<phase>(m, engines, at, own, sum);
        }
      }
    });
    if constexpr (phase > 0) multiply<phase - 1>(m, share, engines, at);
  }

  template <int phase, class Machine, class Engines>
  RNNFAST_BOTH void unstage(Machine& m, Engines& engines, const StepOfLaunch& at,
                            const Element& own, T d_operand) const {
    const index H = division.units;
    const Unstage<phase, Cell, Stored> back = {
        cell,    H,   slots + at.at * P * H, operand + at.at * H,
        nullptr, d.h, waiting_of(at),        deltas_of(at)};
    T delta[P] = {};
    back.take(m, own, d_operand, delta);
    publish<phase - 1>(m, engines, own, delta);
  }

  template <int phase, class Machine, class Engines>
  RNNFAST_BOTH void publish(Machine& m, Engines& engines, const Element& own,
                            const T (&delta)[P]) const {
    constexpr Range parts = Cell::phase[phase];
    RNNFAST_UNROLL(16)
    for (int p = parts.begin; p < parts.end; ++p) {
      engines.template of<phase>().exchange.publish(
          m, own.row, (p - parts.begin) * division.units + own.unit, converted<Stored>(delta[p]));
    }
  }

  RNNFAST_BOTH Stored* deltas_of(const StepOfLaunch& at) const {
    return deltas + at.at * P * division.units;
  }
  RNNFAST_BOTH T* waiting_of(const StepOfLaunch& at) const {
    if constexpr (is_short<Stored>) return waiting;
    return if_same<T>(deltas_of(at));
  }
};

}  // namespace
}  // namespace rnnfast
