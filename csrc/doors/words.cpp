#include "doors/words.hpp"

#include <cstring>
#include <stdexcept>
#include <string>

#include "base/fingerprint.hpp"
#include "cpu/dispatch/dispatch.hpp"

namespace rnnfast {
namespace {

constexpr std::size_t name_room = 32;
constexpr std::int64_t format = 0x31'74'73'61'66'6e'6e'72;  // "rnnfast1", read as bytes

// Every field is 8 bytes, or a multiple: there is nothing between them.
struct ChoiceWords {
  std::int64_t function;
  double alpha, beta, lowest, highest, clip;
};
struct CellWords {
  char name[name_room];
  std::int64_t chooses;
  ChoiceWords activations[most_activations];
};
struct PlanWords {
  std::int64_t purpose;
  std::int64_t begin, end, rows, partition, threads, chunk_steps, interleaves_input;
  std::int64_t delta_chunk_steps, block_steps, stretch_steps, masks_operand;
};
struct CallWords {
  CellWords cell;
  std::int64_t scalar;
  std::int64_t steps, rows, inputs, units, projection;
  std::int64_t axes, direction, truncate;
  std::int64_t operands;  // a bit for each that there is
  PlanWords plan;
  char target[name_room];
};
/// What stands between both ends.
template <class Body>
struct Framed {
  std::int64_t format;
  Body body;
  std::uint64_t fingerprint;  // of all before it
};

template <class Body>
std::uint64_t fingerprint_of(const Framed<Body>& of) {
  return fingerprint(
      Memory{reinterpret_cast<const char*>(&of), offsetof(Framed<Body>, fingerprint)});
}

template <class Body>
Words framed(const Body& body) {
  static_assert(sizeof(Framed<Body>) % sizeof(std::int64_t) == 0);
  Framed<Body> all = {format, body, 0};
  all.fingerprint = fingerprint_of(all);
  Words words(sizeof(all) / sizeof(std::int64_t));
  std::memcpy(words.data(), &all, sizeof(all));
  return words;
}

template <class Body>
Body unframed(std::span<const std::int64_t> words) {
  Framed<Body> all;
  if (words.size_bytes() == sizeof(all)) {
    std::memcpy(&all, words.data(), sizeof(all));
    if (all.format == format && all.fingerprint == fingerprint_of(all)) return all.body;
  }
  throw std::invalid_argument(
      "what describes a call of rnnfast is damaged, or of another version of it; trace or build "
      "the "
      "program again");
}

void write_name(const char* name, char (&to)[name_room]) {
  std::strncpy(to, name, name_room - 1);  // what is left is zeros
}

CellWords body_of(const CellSpec& cell) {
  CellWords words = {};
  write_name(cell.name(), words.name);
  words.chooses = cell.chooses();
  for (int i = 0; cell.chooses() && i < most_activations; ++i) {
    const ActivationChoice& of = cell.activations()[i];
    words.activations[i] = {
        static_cast<std::int64_t>(of.function), of.alpha, of.beta, of.lowest, of.highest, of.clip};
  }
  return words;
}

CellSpec cell_of(const CellWords& words) {
  if (!words.chooses) return CellSpec(words.name);
  std::array<ActivationChoice, most_activations> activations;
  for (std::size_t i = 0; i < activations.size(); ++i) {
    const ChoiceWords& of = words.activations[i];
    activations[i] = {static_cast<ActivationFunction>(of.function),
                      of.alpha,
                      of.beta,
                      of.lowest,
                      of.highest,
                      of.clip};
  }
  return CellSpec(words.name, activations);
}

PlanWords body_of(const CallPlan& plan) {
  const PlanSegment& of = plan.segment;
  return {static_cast<std::int64_t>(plan.purpose),
          of.begin,
          of.end,
          of.rows,
          static_cast<std::int64_t>(of.partition),
          of.threads,
          of.chunk_steps,
          of.interleaves_input,
          of.delta_chunk_steps,
          of.block_steps,
          of.stretch_steps,
          of.masks_operand};
}

CallPlan plan_of(const PlanWords& words, const FlatCall& call) {
  const PlanSegment segment = {words.begin,
                               words.end,
                               words.rows,
                               static_cast<Partition>(words.partition),
                               static_cast<int>(words.threads),
                               words.chunk_steps,
                               words.interleaves_input != 0,
                               words.delta_chunk_steps,
                               words.block_steps,
                               words.stretch_steps,
                               words.masks_operand != 0};
  return {static_cast<Purpose>(words.purpose), &cpu_backend().traits(call.cell, call.scalar),
          call.dims, segment};
}

}  // namespace

const std::size_t planned_word_count = sizeof(Framed<CallWords>) / sizeof(std::int64_t);

Words words_of(const CellSpec& cell) { return framed(body_of(cell)); }

Words words_of(const PlannedCall& planned) {
  const FlatCall& call = planned.call;
  const Dims& dims = call.dims;
  CallWords words = {body_of(call.cell),
                     static_cast<std::int64_t>(call.scalar),
                     dims.steps,
                     dims.rows,
                     dims.inputs,
                     dims.units,
                     dims.projection,
                     static_cast<std::int64_t>(call.axes),
                     static_cast<std::int64_t>(call.direction),
                     call.truncate,
                     0,
                     body_of(planned.plan),
                     {}};
  for (std::size_t i = 0; i < operand_count; ++i) {
    words.operands |= static_cast<std::int64_t>(call.has.all[i]) << i;
  }
  write_name(target().name, words.target);
  return framed(words);
}

CellSpec cell_from(std::span<const std::int64_t> words) {
  return cell_of(unframed<CellWords>(words));
}

PlannedCall planned_call_from(std::span<const std::int64_t> words) {
  const auto body = unframed<CallWords>(words);
  if (std::strncmp(body.target, target().name, name_room) != 0) {
    throw std::invalid_argument("the program was traced where rnnfast's kernels are those for " +
                                std::string(body.target) + ", here they are those for " +
                                target().name + "; trace it here again");
  }
  FlatCall call = {cell_of(body.cell),
                   static_cast<ScalarType>(body.scalar),
                   {body.steps, body.rows, body.inputs, body.units, body.projection},
                   static_cast<Axes>(body.axes),
                   static_cast<Direction>(body.direction),
                   body.truncate};
  for (std::size_t i = 0; i < operand_count; ++i) call.has.all[i] = (body.operands >> i & 1) != 0;
  return {call, plan_of(body.plan, call)};
}

}  // namespace rnnfast
