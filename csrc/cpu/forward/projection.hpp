// The product that ends a step where h is a projection (cpu/epilogue/projection.hpp): h = m W_hr^T.
#pragma once

#include "cpu/epilogue/zoneout.hpp"
#include "cpu/forward/operand_rows.hpp"
#include "cpu/forward/step_output.hpp"

namespace rnnfast {
namespace {

template <class Shape, class F>
class Projection {
  using T = typename F::Sum;
  using Step = ForwardStep<Shape, T>;
  using V = Vec<T>;
  static constexpr index N = lanes<T>;

 public:
  /// `runs` are those over h, which do where there is no projection.
  Projection(const ForwardContext<Shape, F>& of, const DenseRuns& runs)
      : weights_(of.weights.projection),
        masks_(of_h(of.call.masks)),
        work_(of.work),
        outputs_(of.history.outputs),
        operands_(of),
        runs_(of.call.dims.projection ? dense_runs<F>(of.call.dims.units) : runs),
        output_(of.epilogue()) {}

  /// Some groups of h of a step's rows.
  [[gnu::noinline]] void multiply(const Step& step, Span groups) const {
    using Panels = Layout<Linear, T>;
    static constexpr T zeros[Panels::U * N] = {};
    const Span panels = {groups.begin / Panels::U, ceil_div(groups.end, Panels::U)};
    const index* const rows = work_.state_rows + step.rows.begin;
    for (index i = 0; i < panels.size(); ++i) {
      const index panel = step.number % 2 ? panels.end - 1 - i : panels.begin + i;
      const index first = panel * Panels::U;
      const Span own = {larger(first, groups.begin),
                        smaller(first + weights_.layout.width(panel), groups.end)};
      rnnfast::multiply<F>(Dense<F>{operands_.projected(step), runs_}, weights_.panel(panel),
                           {own.begin - first, own.end - first}, {zeros, rows, 0},
                           {step.after.h + own.begin * N, rows, outputs_.row()}, step.rows.size(),
                           [&](index row, index count) {
                             const index begin = step.rows.begin + row;
                             finish(step, {begin, begin + count}, own);
                           });
    }
  }

 private:
  void finish(const Step& step, Span rows, Span groups) const {
    masks_.kept_h.data ? finish_with<Zoneout<T>>(step, rows, groups)
                       : finish_with<NoZoneout<T>>(step, rows, groups);
  }

  template <class Zone>
  void finish_with(const Step& step, Span rows, Span groups) const {
    for (index r = rows.begin; r < rows.end; ++r) {
      const Zone zone(masks_, work_.sequences[r], step.number);
      for (index group = groups.begin; group < groups.end; ++group) {
        const index at = work_.state_rows[r] * outputs_.row() + group * N;
        const State<V> before = {load(step.before.h + at), V{}};
        const V h = zone.after(before, {load(step.after.h + at), V{}}, outputs_, group).h;
        store(step.after.h + at, h);
        output_.store_y(step, r, group, h, outputs_.valid(group));
      }
    }
  }

  const PanelWeights<Linear, F>& weights_;
  const Masks<T> masks_;
  const ForwardRows& work_;
  const RowLayout<T> outputs_;  // of h
  const OperandRows<Shape, F> operands_;
  const DenseRuns runs_;
  const StepOutput<Shape, T> output_;
};

}  // namespace
}  // namespace rnnfast
