// The functions that XLA calls: csrc/doors/flat_call.hpp's, with the tape among results and
// arguments as bytes.
//
//   forward           the operands that there are             -> y, h_n, c_n
//   forward_saving    the same                                -> y, h_n, c_n, tape
//   backward          tape, the operands but states and lengths, dy, dh_n, dc_n
//                                                             -> the gradients that are wanted
//
// c_n is there where the cell has a c. Attributes are `call`, the words of a planned call
// (csrc/doors/words.hpp); backwards, where the tape says which call it was, `axes`, those that it
// must have, `above`, a bit for each of dy, dh_n and dc_n that is there, `wanted`, a bit for each
// operand by whose place a gradient is, and `of_sequences`, whether those of weights are (B, ...).
//
// They run in whatever thread XLA calls them, several at once, on our own team: one whose helpers
// are busy is one thread, and none waits for XLA's pool. What goes wrong is an error of XLA's.
#pragma once

#include "doors/xla/interface.hpp"

namespace rnnfast::xla {

Handler forward;
Handler forward_saving;
Handler backward;

/// Passes that have run, forward and backward.
std::int64_t passes();

}  // namespace rnnfast::xla
