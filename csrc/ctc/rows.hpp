// Connectionist temporal classification: the loss of a sequence of labels that says nothing of when
// each of them is.
//
//   y_t(k) = x_t(k) - log sum_j e^x_t(j)
//   loss = -log p,  p the sum over all ways to read the target (ctc/lattice.hpp)
//   dloss/dx_t(k) = e^y_t(k) - sum over states s of class k of e^(a_t(s) + b_t(s) - log p)
//
// Source: Graves, Fernandez, Gomez and Schmidhuber, Connectionist temporal classification:
// labelling unsegmented sequence data with recurrent neural networks, ICML 2006. A target that
// cannot be read, being too long, has p = 0, an infinite loss, and NaN for a gradient.
//
// A row is one worker's, whatever the others are: results depend on nothing else.
#pragma once

#include "base/team.hpp"
#include "ctc/call.hpp"
#include "ctc/lattice.hpp"

namespace rnnfast {
namespace {

inline float natural_log(float x) { return __builtin_logf(x); }
inline double natural_log(double x) { return __builtin_log(x); }

/// What a worker keeps of a row, as large as the largest row needs.
template <class T>
struct CtcWork {
  index kept;     // steps of which a and y are kept: all of them for a gradient, else one
  index padded;   // states
  index classes;  // padded to whole vectors
  T* skips;
  T* a;             // one more than are kept: before the first step
  T* emissions;     // of labels
  T* normalizers;   // log sum_j e^x_t(j)
  double* offsets;  // what has been taken from a
  T* w;
  T* b;
  T* shares;  // of the labels in a step
  T* logits;  // of a step

  explicit CtcWork(const CtcCall<T>& call) : kept(1), classes(round_up(call.classes, lanes<T>)) {
    index most_labels = 0;
    for (index row = 0; row < call.rows; ++row) {
      most_labels = larger(most_labels, call.starts[row + 1] - call.starts[row]);
      if (call.gradient.data) kept = larger(kept, call.lengths[row]);
    }
    padded = padded_states<T>(most_labels);
  }

  void place(Bump& bump) {
    const index states = States<T>::size(padded);
    skips = bump.take<T>(padded + lanes<T>);
    a = bump.take<T>((kept + 1) * states);
    emissions = bump.take<T>(kept * padded);
    normalizers = bump.take<T>(kept);
    offsets = bump.take<double>(kept);
    w = bump.take<T>(states);
    b = bump.take<T>(states);
    shares = bump.take<T>(padded);
    logits = bump.take<T>(classes);
  }
};

template <class T>
class CtcRow {
 public:
  CtcRow(const CtcCall<T>& call, const CtcWork<T>& work, index row)
      : call_(call),
        work_(work),
        row_(row),
        steps_(call.lengths[row]),
        labels_(call.labels + call.starts[row]),
        count_(call.starts[row + 1] - call.starts[row]),
        padded_(padded_states<T>(count_)) {}

  void run(const Share& own) {
    forward(own);
    if (!call_.gradient.data) return;
    if (log_p_ == log_of_zero<double>) {
      fill_gradient({0, steps_}, static_cast<T>(__builtin_nan("")));
    } else {
      backward(own);
    }
    fill_gradient({steps_, call_.steps}, T{});
  }

 private:
  void forward(const Share& own) {
    find_skips(labels_, count_, padded_, work_.skips);
    a(0).clear(padded_);
    a(0).blank[0] = 0;
    double offset = 0;
    T shift = 0;
    for (index t = 0; t < steps_; ++t) {
      offset += static_cast<double>(shift);
      shift = step_forward(normalize(t), work_.skips, padded_, shift, a(t), a(t + 1));
      work_.offsets[at(t)] = offset;
      own.worked(step_products());
    }
    log_p_ = static_cast<double>(log_of_end(a(steps_), count_)) + offset;
    call_.losses[row_] = static_cast<T>(0 - log_p_);
  }

  void backward(const Share& own) {
    const States<T> w(work_.w, padded_);
    const States<T> b(work_.b, padded_);
    w.clear(padded_);
    w.blank[count_] = 0;
    double offset = 0;
    T shift = 0;
    for (index t = steps_; t-- > 0;) {
      step_backward(work_.skips, padded_, w, b);
      load_logits(t);
      const Emissions<T> y = emissions(t);
      write_gradient(t, b, static_cast<T>(work_.offsets[t] + offset - log_p_));
      offset += static_cast<double>(shift);
      shift = emit(y, padded_, shift, b, w);
      own.worked(step_products());
    }
  }

  /// y of a step, from its logits.
  Emissions<T> normalize(index t) {
    load_logits(t);
    Vec<T> largest = broadcast(log_of_zero<T>);
    for (index k = 0; k < work_.classes; k += lanes<T>) {
      largest = at_least(load(work_.logits + k), largest);
    }
    const T shift = largest_lane(largest);
    Vec<T> sums = {};
    for (index k = 0; k < work_.classes; k += lanes<T>) {
      sums += exp_below(load(work_.logits + k) - broadcast(shift));
    }
    work_.normalizers[at(t)] = shift + natural_log(total(sums));

    T* const y = work_.emissions + at(t) * work_.padded;
    for (index u = 0; u < count_; ++u) {
      y[u] = work_.logits[labels_[u]] - work_.normalizers[at(t)];
    }
    for (index u = count_; u < padded_; ++u) y[u] = log_of_zero<T>;
    return emissions(t);
  }

  /// From the logits at hand, which it uses up, and b; `rest` makes a + b the logarithm of a share.
  void write_gradient(index t, const States<T>& b, T rest) {
    const Vec<T> normalizer = broadcast(work_.normalizers[at(t)]);
    for (index k = 0; k < work_.classes; k += lanes<T>) {
      store(work_.logits + k, exp_below(load(work_.logits + k) - normalizer));
    }
    const States<T> of = a(t + 1);
    Vec<T> blanks = {};
    for (index u = 0; u < padded_; u += lanes<T>) {
      blanks += exp_below(load(of.blank + u) + load(b.blank + u) + broadcast(rest));
      store(work_.shares + u, exp_below(load(of.label + u) + load(b.label + u) + broadcast(rest)));
    }
    work_.logits[call_.blank] -= total(blanks);
    for (index u = 0; u < count_; ++u) work_.logits[labels_[u]] -= work_.shares[u];
    T* const to = gradient(t);
    for (index k = 0; k < call_.classes; ++k) to[k] = work_.logits[k];
  }

  void fill_gradient(Span steps, T value) {
    for (index t = steps.begin; t < steps.end; ++t) {
      T* const to = gradient(t);
      for (index k = 0; k < call_.classes; ++k) to[k] = value;
    }
  }

  T* gradient(index t) const {
    const Sequence<T>& of = call_.gradient;
    return of.data + t * of.step_stride + row_ * of.row_stride;
  }

  /// Those past the last class are of probability zero.
  void load_logits(index t) const {
    const T* const from = call_.x.data + t * call_.x.step_stride + row_ * call_.x.row_stride;
    for (index k = 0; k < call_.classes; ++k) work_.logits[k] = from[k];
    for (index k = call_.classes; k < work_.classes; ++k) work_.logits[k] = log_of_zero<T>;
  }

  Emissions<T> emissions(index t) const {
    const T* const y = work_.emissions + at(t) * work_.padded;
    return {work_.logits[call_.blank] - work_.normalizers[at(t)], y};
  }

  States<T> a(index t) const {
    const index place = call_.gradient.data ? t : t % 2;
    return {work_.a + place * States<T>::size(work_.padded), padded_};
  }

  index at(index t) const { return call_.gradient.data ? t : 0; }

  /// What a step takes as long as.
  index step_products() const { return 256 * padded_ + 32 * work_.classes; }

  const CtcCall<T>& call_;
  const CtcWork<T>& work_;
  const index row_;
  const index steps_;
  const index* const labels_;
  const index count_;
  const index padded_;
  double log_p_ = 0;
};

/// Losses, and gradients where they are wanted.
template <class T>
void run_ctc(const CtcCall<T>& call, int threads) {
  const int shares = static_cast<int>(smaller(threads, larger(1, call.rows)));
  CtcWork<T> work(call);
  const std::size_t bytes = measure(work);
  const Arena memory(bytes * static_cast<std::size_t>(shares));
  team(shares, [&](Worker& worker) {
    worker.stage([&](const Share& own) {
      CtcWork<T> mine = work;
      place_in(memory.data() + bytes * static_cast<std::size_t>(own.id), mine);
      // Every so many, so that sorted rows are shared evenly.
      for (index row = own.id; row < call.rows; row += own.count) {
        CtcRow<T>(call, mine, row).run(own);
      }
    });
  });
}

}  // namespace
}  // namespace rnnfast
