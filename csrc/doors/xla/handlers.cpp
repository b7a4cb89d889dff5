#include "doors/xla/handlers.hpp"

#include <atomic>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/team.hpp"
#include "doors/flat_tape.hpp"

namespace rnnfast::xla {
namespace {

std::atomic<std::int64_t> passes_run{0};

Type type_of(ScalarType scalar) {
  return scalar == ScalarType::float32 ? Type::float32 : Type::float64;
}

Type type_of(Operand which, ScalarType scalar) {
  if (which == Operand::lengths) return Type::int32;
  if (which == Operand::resets) return Type::boolean;
  return type_of(scalar);
}

std::size_t size_of_type(Type type) {
  switch (type) {
    case Type::boolean:
    case Type::uint8:
      return 1;
    case Type::int32:
    case Type::float32:
      return 4;
    case Type::int64:
    case Type::float64:
      return 8;
  }
  return 0;
}

/// Buffers in order, each with what it must be.
class Reader {
 public:
  explicit Reader(const Buffers& of) : of_(of) {}

  void* next(const char* name, Type type, std::size_t bytes) {
    const Buffer& buffer = any(name);
    if (buffer.type != type || bytes_of(buffer) != bytes) {
      throw std::invalid_argument(std::string(name) + " must have " + std::to_string(bytes) +
                                  " bytes of the type that the call was traced with, got " +
                                  std::to_string(bytes_of(buffer)));
    }
    return buffer.data;
  }

  std::span<char> bytes(const char* name) {
    const Buffer& buffer = any(name);
    if (buffer.type != Type::uint8) throw std::invalid_argument(std::string(name) + " is no bytes");
    return {static_cast<char*>(buffer.data), bytes_of(buffer)};
  }

  void end() const {
    if (at_ != of_.count) throw std::invalid_argument("more arrays than the call has");
  }

 private:
  const Buffer& any(const char* name) {
    if (at_ == of_.count) throw std::invalid_argument(std::string(name) + " is missing");
    return *of_.each[at_++];
  }

  static std::size_t bytes_of(const Buffer& buffer) {
    std::size_t bytes = size_of_type(buffer.type);
    for (std::int64_t i = 0; i < buffer.rank; ++i) {
      bytes *= static_cast<std::size_t>(buffer.dims[i]);
    }
    return bytes;
  }

  const Buffers& of_;
  std::int64_t at_ = 0;
};

void* attribute(const Call& call, std::string_view name, AttributeKind kind) {
  const Attributes& all = call.attributes;
  for (std::int64_t i = 0; i < all.count; ++i) {
    if (std::string_view(all.names[i]->data, all.names[i]->size) == name && all.kinds[i] == kind) {
      return all.each[i];
    }
  }
  throw std::invalid_argument("no attribute " + std::string(name));
}

std::int64_t number(const Call& call, std::string_view name) {
  const auto& scalar = *static_cast<const Scalar*>(attribute(call, name, AttributeKind::scalar));
  if (scalar.type != Type::int64) throw std::invalid_argument(std::string(name) + " is no int64");
  return *static_cast<const std::int64_t*>(scalar.value);
}

PlannedCall planned_call(const Call& call) {
  const auto& words = *static_cast<const Array*>(attribute(call, "call", AttributeKind::array));
  if (words.type != Type::int64) throw std::invalid_argument("call is no array of int64");
  return planned_call_from({static_cast<const std::int64_t*>(words.data), words.size});
}

Operands read_operands(const FlatCall& call, Reader& from, auto&& reads) {
  Operands operands;
  for (std::size_t i = 0; i < operand_count; ++i) {
    const auto which = static_cast<Operand>(i);
    if (!call.has[which] || !reads(which)) continue;
    operands[which] =
        from.next(operand_names[i], type_of(which, call.scalar), bytes_of(call, which));
  }
  return operands;
}

FlatResults read_results(const FlatCall& call, Reader& from) {
  const ResultBytes bytes = result_bytes(call);
  const Type type = type_of(call.scalar);
  FlatResults results = {from.next("y", type, bytes.y), from.next("h_n", type, bytes.h_n), nullptr};
  if (bytes.c_n) results.c_n = from.next("c_n", type, bytes.c_n);
  return results;
}

bool all_of_them(Operand) { return true; }
bool read_again(Operand which) {
  return which != Operand::h0 && which != Operand::c0 && which != Operand::lengths;
}

void run_forward(const Call& call) {
  const PlannedCall planned = planned_call(call);
  Reader arguments(call.arguments);
  Reader results(call.results);
  const Operands operands = read_operands(planned.call, arguments, all_of_them);
  const FlatResults to = read_results(planned.call, results);
  arguments.end();
  results.end();
  forward_flat(planned.call, planned.plan, operands, to);
}

void run_forward_saving(const Call& call) {
  const PlannedCall planned = planned_call(call);
  Reader arguments(call.arguments);
  Reader results(call.results);
  const Operands operands = read_operands(planned.call, arguments, all_of_them);
  const FlatResults to = read_results(planned.call, results);
  const std::span<char> tape = results.bytes("the tape");
  arguments.end();
  results.end();
  forward_saving_flat(planned, operands, to, tape);
}

void run_backward(const Call& call) {
  Reader arguments(call.arguments);
  Reader results(call.results);
  const FlatTape tape = read_flat_tape(arguments.bytes("the tape"));
  const FlatCall& made = tape.made.call;
  if (static_cast<Axes>(number(call, "axes")) != made.axes) {
    throw std::invalid_argument("the tape is of a call whose arrays have other axes");
  }
  const Operands operands = read_operands(made, arguments, read_again);
  const ResultBytes bytes = result_bytes(made);
  const std::int64_t is_above = number(call, "above");
  const auto above = [&](int bit, const char* name, std::size_t size) -> const void* {
    return is_above >> bit & 1 ? arguments.next(name, type_of(made.scalar), size) : nullptr;
  };
  const FlatUpstream upstream = {above(0, "dy", bytes.y), above(1, "dh_n", bytes.h_n),
                                 above(2, "dc_n", bytes.c_n)};
  const std::int64_t wanted = number(call, "wanted");
  const GradientsOf gradients_of =
      number(call, "of_sequences") ? GradientsOf::sequences : GradientsOf::batch;
  OperandGradients out;
  for (std::size_t i = 0; i < differentiable_count; ++i) {
    const auto which = static_cast<Operand>(i);
    if (!(wanted >> i & 1)) continue;
    out[which] = results.next(operand_names[i], type_of(made.scalar),
                              gradient_bytes_of(made, which, gradients_of));
  }
  arguments.end();
  results.end();
  backward_flat(tape, operands, upstream, out, gradients_of);
}

Error* error(const Call& call, ErrorCode code, const std::string& what) {
  const std::string message = "rnnfast: " + what;
  ErrorArguments arguments = {sizeof(ErrorArguments), nullptr, message.c_str(), code};
  return call.host->create_error(&arguments);
}

/// Whether it was asked what it is, and has answered. Minor versions only add to the structures, so
/// it is of whichever the host is.
bool has_answered(const Call& call) {
  for (Extension* one = call.extensions; one; one = one->next) {
    if (one->type != ExtensionType::metadata) continue;
    Metadata& metadata = *reinterpret_cast<MetadataExtension*>(one)->metadata;
    metadata.version.major = major_version;
    metadata.version.minor = call.host->version.minor;
    metadata.traits = 0;
    return true;
  }
  return false;
}

/// The body of a handler: nothing is thrown into the host.
Error* handle(Call* call, void (*run)(const Call&)) {
  if (has_answered(*call) || call->stage != Stage::execute) return nullptr;
  try {
    run(*call);
    passes_run.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  } catch (const std::invalid_argument& wrong) {
    return error(*call, ErrorCode::invalid_argument, wrong.what());
  } catch (const std::bad_alloc&) {
    return error(*call, ErrorCode::resource_exhausted, "out of memory");
  } catch (const std::exception& other) {
    return error(*call, ErrorCode::internal, other.what());
  } catch (...) {
    return error(*call, ErrorCode::internal, "the pass was interrupted");
  }
}

}  // namespace

Error* forward(Call* call) { return handle(call, &run_forward); }
Error* forward_saving(Call* call) { return handle(call, &run_forward_saving); }
Error* backward(Call* call) { return handle(call, &run_backward); }

std::int64_t passes() { return passes_run.load(std::memory_order_relaxed); }

}  // namespace rnnfast::xla
