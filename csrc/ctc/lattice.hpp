// The states that a target is read in, and a step from each to the next, in logarithms.
//
// A target l_0 .. l_S-1 is read as blank_0 l_0 blank_1 l_1 .. l_S-1 blank_S: a state is held for
// any number of steps, blanks between different labels may be left out. With y the logarithms of
// the classes' probabilities at step t and [ ] 1 where it is true,
//
//   a_t(blank_u) = y(blank) + log(e^a_t-1(blank_u) + e^a_t-1(l_u-1))
//   a_t(l_u)     = y(l_u)   + log(e^a_t-1(l_u) + e^a_t-1(blank_u) + [l_u /= l_u-1] e^a_t-1(l_u-1))
//
// is the logarithm of the probability to have read, after t steps, up to a state, and
//
//   b_t(blank_u) = log(e^w(blank_u) + e^w(l_u))                                     w = y_t+1 +
//   b_t+1 b_t(l_u)     = log(e^w(l_u) + e^w(blank_u+1) + [l_u+1 /= l_u] e^w(l_u+1))
//
// that of reading the rest from there. Before the first step blank_0 has all (a = 0), past the last
// one blank_S (w = 0).
//
// Both sink by some nats a step, and float would round what they differ in. So each step takes away
// what was the largest before it, and whoever goes through the steps adds that up in double.
//
// Blanks and labels are arrays of their own, so that N states are a vector. What stands in them
// past their ends is the logarithm of zero, which no step changes.
#pragma once

#include "base/arena.hpp"
#include "math/log_add.hpp"

namespace rnnfast {
namespace {

/// How far states are padded: whole vectors, with one more blank than there are labels.
template <class T>
constexpr index padded_states(index labels) {
  return round_up(labels + 1, lanes<T>);
}

/// One number for each state: a vector of padding follows blanks and labels both.
template <class T>
struct States {
  T* blank;
  T* label;

  States(T* memory, index padded) : blank(memory), label(memory + padded + lanes<T>) {}

  static constexpr index size(index padded) { return 2 * (padded + lanes<T>); }

  void clear(index padded) const {
    for (index i = 0; i < size(padded); ++i) blank[i] = log_of_zero<T>;
  }
};

/// Logarithms of probabilities at one step: of the blank, and of the label of each state.
template <class T>
struct Emissions {
  T blank;
  const T* label;
};

/// For each label 0, or the logarithm of zero where the blank before it must not be left out.
template <class T>
void find_skips(const index* labels, index count, index padded, T* skips) {
  for (index u = 0; u < padded + lanes<T>; ++u) {
    const bool may = 0 < u && u < count && labels[u] != labels[u - 1];
    skips[u] = may ? T{} : log_of_zero<T>;
  }
}

/// What the next step takes away: the largest of all lanes, unless all are the logarithm of zero.
template <class T>
T shift_of(Vec<T> largest) {
  const T most = largest_lane(largest);
  return most > log_of_zero<T> ? most : T{};
}

/// a of the next step, less a shift; returns the shift of the one after. The label before the first
/// is the blanks' padding.
template <class T>
T step_forward(const Emissions<T>& y, const T* skips, index padded, T shift, const States<T>& from,
               const States<T>& to) {
  const Vec<T> of_blank = broadcast(y.blank - shift);
  Vec<T> largest = broadcast(log_of_zero<T>);
  store(to.label - lanes<T>, largest);
  for (index u = 0; u < padded; u += lanes<T>) {
    const Vec<T> blank = load(from.blank + u);
    const Vec<T> label = load(from.label + u);
    const Vec<T> before = load(from.label + u - 1);
    const Vec<T> new_blank = of_blank + log_add(blank, before);
    const Vec<T> of_label = load(y.label + u) - broadcast(shift);
    const Vec<T> new_label = of_label + log_add(label, blank, before + load(skips + u));
    store(to.blank + u, new_blank);
    store(to.label + u, new_label);
    largest = at_least(at_least(largest, new_blank), new_label);
  }
  return shift_of<T>(largest);
}

/// b from w.
template <class T>
void step_backward(const T* skips, index padded, const States<T>& w, const States<T>& b) {
  for (index u = 0; u < padded; u += lanes<T>) {
    const Vec<T> label = load(w.label + u);
    const Vec<T> next_blank = load(w.blank + u + 1);
    const Vec<T> next_label = load(w.label + u + 1) + load(skips + u + 1);
    store(b.blank + u, log_add(load(w.blank + u), label));
    store(b.label + u, log_add(label, next_blank, next_label));
  }
}

/// w = y + b, less a shift; returns the shift of the step before.
template <class T>
T emit(const Emissions<T>& y, index padded, T shift, const States<T>& b, const States<T>& w) {
  const Vec<T> of_blank = broadcast(y.blank - shift);
  Vec<T> largest = broadcast(log_of_zero<T>);
  for (index u = 0; u < padded; u += lanes<T>) {
    const Vec<T> blank = of_blank + load(b.blank + u);
    const Vec<T> label = load(y.label + u) - broadcast(shift) + load(b.label + u);
    store(w.blank + u, blank);
    store(w.label + u, label);
    largest = at_least(at_least(largest, blank), label);
  }
  return shift_of<T>(largest);
}

/// The logarithm of what the two last states have: p of the whole target after the last step.
template <class T>
T log_of_end(const States<T>& a, index labels) {
  return log_add(broadcast(a.blank[labels]), broadcast(a.label[labels - 1]))[0];
}

}  // namespace
}  // namespace rnnfast
