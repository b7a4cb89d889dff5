// Most calls that choose activations choose the usual ones: for `clip`, or beside peepholes. What
// does a cell's work row by row asks once for all rows whether they are, and is then compiled with
// these inlined; what else is chosen is called one by one.
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

template <class T>
struct BoundedActivations {
  Bounded<Sigmoid, T> gates;
  Bounded<Tanh, T> candidate;
  Bounded<Tanh, T> output;
  RNNFAST_BOTH explicit BoundedActivations(const ChosenActivations<T>& chosen)
      : gates(chosen.gates), candidate(chosen.candidate), output(chosen.output) {}
};

/// body(cell) with everything in it inlined, which the compiler leaves off where it is long.
template <class Cell, class Body>
[[gnu::flatten]] void inlined(const Cell& cell, Body& body) {
  body(cell);
}

/// body(cell), which computes what `cell` does.
template <class Cell, class Body>
[[gnu::always_inline]] inline void with_inlined(const Cell& cell, Body&& body) {
  body(cell);
}

template <template <class, auto...> class Cell, class T, auto... kind, class Body>
[[gnu::always_inline]] inline void with_inlined(const Cell<ChosenActivations<T>, kind...>& cell,
                                                Body&& body) {
  const ChosenActivations<T>& act = cell.act;
  const bool gates = cell.activations == 1 || act.gates.is_sigmoid();
  if (gates && act.candidate.is_tanh() && act.output.is_tanh()) {
    inlined(Cell<BoundedActivations<T>, kind...>{{}, BoundedActivations<T>(act)}, body);
  } else {
    body(cell);
  }
}

}  // namespace
}  // namespace rnnfast
