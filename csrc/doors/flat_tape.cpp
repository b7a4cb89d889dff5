#include "doors/flat_tape.hpp"

#include <cstring>
#include <stdexcept>
#include <string>

#include "base/fingerprint.hpp"
#include "cpu/dispatch/dispatch.hpp"

namespace rnnfast {
namespace {

/// After the words of the call.
struct Places {
  std::uint64_t saved_at;  // bytes from the first
  std::uint64_t rows;      // that stand between
  std::uint64_t fingerprint;
};

std::size_t words_bytes() { return planned_word_count * sizeof(std::int64_t); }
std::size_t header_bytes() { return words_bytes() + sizeof(Places); }
std::size_t rows_bytes(const FlatCall& call) {
  const bool has_rows = call.has[Operand::lengths] && !is_empty(call);
  return has_rows ? static_cast<std::size_t>(call.dims.rows) * sizeof(SequenceRow) : 0;
}

/// Of where rows and what was saved are, and of the rows.
std::uint64_t fingerprint_of(const Places& places, const char* rows, std::size_t bytes) {
  const Memory of_places = {reinterpret_cast<const char*>(&places), offsetof(Places, fingerprint)};
  return fingerprint(std::vector<Memory>{of_places, {rows, bytes}});
}

std::size_t to_next_line(const char* address) {
  return (cache_line - reinterpret_cast<std::uintptr_t>(address) % cache_line) % cache_line;
}

[[noreturn]] void refuse() {
  throw std::invalid_argument(
      "what the backward pass of rnnfast was given is no tape of its forward pass; hand it on "
      "unchanged");
}

/// Has sanitizers let the host read what lies between the parts of a tape.
class LentMemory {
 public:
  LentMemory(const char* data, std::size_t bytes) : data_(data), bytes_(bytes) {}
  ~LentMemory() { unpoison(data_, bytes_); }
  LentMemory(const LentMemory&) = delete;
  LentMemory& operator=(const LentMemory&) = delete;

 private:
  const char* data_;
  std::size_t bytes_;
};

std::size_t saved_bytes(const PlannedCall& planned) {
  const FlatCall& call = planned.call;
  return is_empty(call) ? 0 : cpu_backend().tape_bytes(call.cell, call.scalar, planned.plan);
}

}  // namespace

std::size_t flat_tape_bytes(const PlannedCall& planned) {
  return header_bytes() + rows_bytes(planned.call) + cache_line + saved_bytes(planned);
}

void forward_saving_flat(const PlannedCall& planned, const Operands& operands,
                         const FlatResults& results, std::span<char> tape) {
  if (tape.size() < flat_tape_bytes(planned)) {
    throw std::invalid_argument("the tape has " + std::to_string(tape.size()) +
                                " bytes, its call " + "needs " +
                                std::to_string(flat_tape_bytes(planned)));
  }
  const FlatCall& call = planned.call;
  const Words words = words_of(planned);
  std::memcpy(tape.data(), words.data(), words_bytes());
  char* const rows = tape.data() + header_bytes();
  const std::size_t of_rows = rows_bytes(call);
  Places places = {header_bytes() + of_rows + to_next_line(rows + of_rows), 0, 0};
  if (is_empty(call)) {
    forward_flat(call, planned.plan, operands, results);
  } else {
    char* const saved = tape.data() + places.saved_at;
    const LentMemory lent(saved, saved_bytes(planned));
    const Tape made = forward_saving_flat(call, planned.plan, operands, results,
                                          TapeMemory(saved, saved_bytes(planned)));
    if (made.rows()) {
      std::memcpy(rows, made.rows(), of_rows);
      places.rows = static_cast<std::uint64_t>(call.dims.rows);
    }
  }
  places.fingerprint = fingerprint_of(places, rows, places.rows ? of_rows : 0);
  std::memcpy(tape.data() + words_bytes(), &places, sizeof(places));
}

FlatTape read_flat_tape(std::span<const char> memory) {
  if (memory.size() < header_bytes()) refuse();
  Words words(planned_word_count);
  std::memcpy(words.data(), memory.data(), words_bytes());
  const PlannedCall made = planned_call_from(words);
  Places places;
  std::memcpy(&places, memory.data() + words_bytes(), sizeof(places));
  const char* const rows = memory.data() + header_bytes();
  const std::size_t of_rows = rows_bytes(made.call);
  if (memory.size() < flat_tape_bytes(made) ||
      places.rows * sizeof(SequenceRow) != (places.rows ? of_rows : 0) ||
      places.saved_at > memory.size() - saved_bytes(made) ||
      places.fingerprint != fingerprint_of(places, rows, places.rows ? of_rows : 0)) {
    refuse();
  }
  if (is_empty(made.call)) return {made, std::nullopt};
  std::vector<SequenceRow> dealt(places.rows);
  if (!dealt.empty()) std::memcpy(dealt.data(), rows, of_rows);
  const FlatCall& call = made.call;
  const Header header = {call.cell,     call.scalar,      storage_of(call.scalar),
                         target().name, made.plan.traits, made.plan,
                         call.dims};
  const char* const saved = memory.data() + places.saved_at;
  if (to_next_line(saved) == 0) {
    // Tapes are never changed.
    return {made, Tape(header, std::move(dealt),
                       TapeMemory(const_cast<char*>(saved), saved_bytes(made)))};
  }
  TapeMemory copy(saved_bytes(made));
  std::memcpy(copy.data(), saved, saved_bytes(made));
  return {made, Tape(header, std::move(dealt), std::move(copy))};
}

void backward_flat(const FlatTape& tape, const Operands& operands, const FlatUpstream& above,
                   const OperandGradients& out, GradientsOf gradients_of) {
  const Tape* const saved = tape.tape ? &*tape.tape : nullptr;
  const LentMemory lent(saved ? saved->data() : nullptr, saved ? saved->bytes() : 0);
  backward_flat(tape.made.call, saved, operands, above, out, gradients_of);
}

}  // namespace rnnfast
