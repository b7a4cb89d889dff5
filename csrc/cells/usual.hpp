// Most calls that choose activations choose the usual ones: for `clip`, or beside peepholes. Then
// the cell's functions, asked for once for all of them, are those of a type that has these inlined;
// what else is chosen is called one by one.
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

template <class T>
struct BoundedActivations {
  Bounded<Sigmoid, T> gates;
  Bounded<Tanh, T> candidate;
  Bounded<Tanh, T> output;
  explicit BoundedActivations(const ChosenActivations<T>& chosen)
      : gates(chosen.gates), candidate(chosen.candidate), output(chosen.output) {}
};

/// A cell of chosen activations, which may be the usual ones.
template <template <class> class Cell, class T>
class Usually {
  using V = Vec<T>;
  using Chosen = Cell<ChosenActivations<T>>;
  using Bounded = Cell<BoundedActivations<T>>;
  static constexpr int parts = Chosen::parts;

 public:
  explicit Usually(const Chosen& cell) : cell_(cell) {}

  template <class... Own>
  State<V> forward(V (&gate)[parts], State<V> prev, const Own&... own) const {
    if (usual()) return bounded().forward(gate, prev, own...);
    return forward_of(cell_, gate, prev, own...);
  }

  template <class... Own>
  void backward(const V (&gate)[parts], State<V> prev, State<V>& d, V (&delta)[parts],
                const Own&... own) const {
    if (usual()) return bounded().backward(gate, prev, d, delta, own...);
    backward_of(cell_, gate, prev, d, delta, own...);
  }

 private:
  bool usual() const {
    return cell_.act.gates.is_sigmoid() && cell_.act.candidate.is_tanh() &&
           cell_.act.output.is_tanh();
  }
  Bounded bounded() const { return {BoundedActivations<T>(cell_.act)}; }

  template <class... Own>
  [[gnu::noinline]] static State<V> forward_of(const Chosen& cell, V (&gate)[parts], State<V> prev,
                                               const Own&... own) {
    return cell.forward(gate, prev, own...);
  }
  template <class... Own>
  [[gnu::noinline]] static void backward_of(const Chosen& cell, const V (&gate)[parts],
                                            State<V> prev, State<V>& d, V (&delta)[parts],
                                            const Own&... own) {
    cell.backward(gate, prev, d, delta, own...);
  }

  const Chosen& cell_;
};

/// What has a cell's functions: itself, or if its activations are chosen, both.
template <class Cell>
inline const Cell& usually(const Cell& cell) {
  return cell;
}
template <template <class> class Cell, class T>
inline Usually<Cell, T> usually(const Cell<ChosenActivations<T>>& cell) {
  return Usually<Cell, T>(cell);
}

}  // namespace
}  // namespace rnnfast
