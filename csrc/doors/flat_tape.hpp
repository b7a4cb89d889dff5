// A tape in memory of a host, at any address:
//
//   planned call, saved at, rows, fingerprint       the header, at the first byte
//   [B] SequenceRow                                 where the call has lengths
//   what the pass has saved                         on the next cache line
//
// The host may move it: what then lies across cache lines is read from a copy.
#pragma once

#include <optional>
#include <span>

#include "doors/words.hpp"

namespace rnnfast {

/// Bytes of a call's tape.
std::size_t flat_tape_bytes(const PlannedCall& planned);

/// Writes results and tape.
void forward_saving_flat(const PlannedCall& planned, const Operands& operands,
                         const FlatResults& results, std::span<char> tape);

/// What is read of a tape that lies as long as this lives.
struct FlatTape {
  PlannedCall made;
  std::optional<Tape> tape;  // none of a call without a step or a row
};
/// Throws std::invalid_argument for memory that holds none.
FlatTape read_flat_tape(std::span<const char> memory);

/// From what the tape says of its call.
void backward_flat(const FlatTape& tape, const Operands& operands, const FlatUpstream& above,
                   const OperandGradients& out, GradientsOf gradients_of = GradientsOf::batch);

}  // namespace rnnfast
