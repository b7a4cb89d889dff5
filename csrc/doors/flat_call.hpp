// A call as hosts of plain C give it: one layer in one direction, whose operands are dense arrays
// in an order of their own, some of which may be absent. What is known before the data is a
// FlatCall; csrc/doors/words.hpp writes it as numbers.
//
//   forward           operands -> y, h_n, c_n
//   forward_saving    operands -> y, h_n, c_n, tape                 csrc/doors/flat_tape.hpp
//   backward          operands, tape, dy, dh_n, dc_n -> a gradient of each of the first operands
//
// Everything may be zero: without a step or a row, states are carried through. Whatever does not
// fit is a std::invalid_argument.
#pragma once

#include <array>
#include <cstdint>

#include "api/backend.hpp"

namespace rnnfast {

enum class Operand {
  x,   // (T, B, I), or (B, T, I)
  h0,  // (B, R)
  c0,  // (B, H)
  w_ih,
  w_hh,
  b_ih,
  b_hh,
  w_hr,
  of_units,
  of_norms,
  lengths,  // (B,) int32, from 0 to T
  resets,   // (T, B) bool, axes as those of x
  mask,     // (B, R): factors of h before the recurrent product
  kept_h,   // (T, B, R), axes as those of x: how much of h a step keeps of the step before
  kept_c    // (T, B, H)
};
constexpr std::size_t operand_count = 15;
constexpr std::size_t differentiable_count = 10;  // the first ones: x, states, weights

constexpr const char* operand_names[operand_count] = {
    "x",        "h0",       "c0",      "w_ih",   "w_hh", "b_ih",   "b_hh",  "w_hr",
    "of_units", "of_norms", "lengths", "resets", "mask", "kept_h", "kept_c"};

/// One thing for each operand; of gradients, for each of the first.
template <class T, std::size_t count>
struct OfOperands {
  std::array<T, count> all = {};

  constexpr T& operator[](Operand which) { return all[static_cast<std::size_t>(which)]; }
  constexpr const T& operator[](Operand which) const {
    return all[static_cast<std::size_t>(which)];
  }
};

/// Null where absent.
using Operands = OfOperands<const void*, operand_count>;
using OperandGradients = OfOperands<void*, differentiable_count>;

/// How x, y, resets, kept_h and kept_c lie.
enum class Axes { time_first, batch_first };
/// Which step is taken first.
enum class Direction { forward, reverse };

struct FlatCall {
  CellSpec cell;
  ScalarType scalar;
  Dims dims;  // any of T and B may be 0
  Axes axes = Axes::time_first;
  Direction direction = Direction::forward;
  index truncate = 0;
  OfOperands<bool, operand_count> has = {};
};

/// y as x, h_n (B, R), c_n (B, H); the last null where the cell has none.
struct FlatResults {
  void* y;
  void* h_n;
  void* c_n;
};
/// dL/d(results); null: zero.
struct FlatUpstream {
  const void* dy;
  const void* dh_n;
  const void* dc_n;
};

/// Bytes that an operand has, and each of the results and their gradients.
std::size_t bytes_of(const FlatCall& call, Operand which);
struct ResultBytes {
  std::size_t y, h_n, c_n;
};
ResultBytes result_bytes(const FlatCall& call);

/// What the gradients of weights are sums over: the batch, or each sequence, (B, ...).
enum class GradientsOf { batch, sequences };
std::size_t gradient_bytes_of(const FlatCall& call, Operand which, GradientsOf gradients_of);

/// The plan of a call that follows, and of calls that will come, which goes by the settings however
/// busy the machine is now. Like every plan, under the host's lock if it may fork
/// (api/backend.hpp).
CallPlan plan_flat(Purpose purpose, const FlatCall& call);
CallPlan plan_flat_ahead(Purpose purpose, const FlatCall& call);

void forward_flat(const FlatCall& call, const CallPlan& plan, const Operands& operands,
                  const FlatResults& results);
Tape forward_saving_flat(const FlatCall& call, const CallPlan& plan, const Operands& operands,
                         const FlatResults& results, TapeMemory memory);
/// Of a call without a step or a row, no tape.
void backward_flat(const FlatCall& call, const Tape* tape, const Operands& operands,
                   const FlatUpstream& above, const OperandGradients& out,
                   GradientsOf gradients_of = GradientsOf::batch);

/// Whether there is nothing to compute.
inline bool is_empty(const FlatCall& call) { return call.dims.steps == 0 || call.dims.rows == 0; }

}  // namespace rnnfast
