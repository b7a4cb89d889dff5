// Layer normalization of parts of a row, or of c, by the block that has the row
// (cpu/epilogue/layer_norm.hpp has the equations):
//
//   v^ = scale (v - mean(v))                   N  = gain v^ + bias
//   dv = scale (dv^ - mean(dv^) - v^ mean(dv^ v^))         dv^ = gain dN
#pragma once

#include "cuda/row_sum.hpp"
#include "cuda/slot.hpp"

namespace rnnfast {
namespace {

RNNFAST_BOTH inline float square_root(float x) { return __builtin_sqrtf(x); }
RNNFAST_BOTH inline double square_root(double x) { return __builtin_sqrt(x); }

/// Gains and biases of all parts, (P, H).
template <class T>
struct NormArrays {
  const T* gain;
  const T* bias;
};

/// N of some of a unit's parts, from v^.
template <Range parts, class Machine, class T, int P>
RNNFAST_BOTH inline void scale_and_shift(Machine& m, const NormArrays<T>& of, index unit,
                                         index units, T (&part)[P]) {
  RNNFAST_UNROLL(16)
  for (int p = parts.begin; p < parts.end; ++p) {
    const index at = p * units + unit;
    part[p] = fma(m.load(of.gain + at), part[p], m.load(of.bias + at));
  }
}

/// What a row is normalized by.
template <class T>
struct Moments {
  T mean;
  T scale;
  RNNFAST_BOTH T normalize(T v) const { return (v - mean) * scale; }
};

/// Of the numbers that value(unit, p) gives for the units of the thread and `parts` numbers each.
template <int parts, class T, class Machine, class Value>
RNNFAST_BOTH inline Moments<T> moments_of(Machine& m, index units, Value&& value) {
  const T count = static_cast<T>(units * parts);
  T sum = 0;
  for (index unit = m.thread(); unit < units; unit += m.threads()) {
    for (int p = 0; p < parts; ++p) sum = sum + value(unit, p);
  }
  const T mean = row_sum(m, sum) / count;
  T squares = 0;
  for (index unit = m.thread(); unit < units; unit += m.threads()) {
    for (int p = 0; p < parts; ++p) {
      const T off = value(unit, p) - mean;
      squares = squares + off * off;
    }
  }
  return {mean, T(1) / square_root(row_sum(m, squares) / count + static_cast<T>(1e-5))};
}

/// From dN to dv: calls sink(unit, p, dv) for the units of the thread, where d(unit, p) gives dv^
/// and value(unit, p) v^.
template <int parts, class T, class Machine, class D, class Value, class Sink>
RNNFAST_BOTH inline void back_through_norm(Machine& m, index units, T scale, D&& d, Value&& value,
                                           Sink&& sink) {
  T straight = 0;
  T along = 0;
  for (index unit = m.thread(); unit < units; unit += m.threads()) {
    for (int p = 0; p < parts; ++p) {
      const T here = d(unit, p);
      straight = straight + here;
      along = along + here * value(unit, p);
    }
  }
  const T count = static_cast<T>(units * parts);
  const T mean = row_sum(m, straight) / count;
  const T slope = row_sum(m, along) / count;
  for (index unit = m.thread(); unit < units; unit += m.threads()) {
    for (int p = 0; p < parts; ++p) {
      sink(unit, p, scale * (d(unit, p) - mean - value(unit, p) * slope));
    }
  }
}

}  // namespace
}  // namespace rnnfast
