#include "doors/onnxruntime/operators.hpp"

#include <memory>
#include <mutex>

#include "base/team.hpp"
#include "doors/onnxruntime/kernel.hpp"

namespace rnnfast::onnx {
namespace {

/// An operator whose matrices are of one type of numbers.
struct TypedOperator : CustomOperator {
  TypedOperator(Operator of, ElementType type);
  Operator op;
  ElementType matrices;
};

const TypedOperator& typed_operator(const CustomOperator* of) {
  return *static_cast<const TypedOperator*>(of);
}

thread_local Domain domain_of_thread = Domain::of_onnx;

/// A host that has registered, and what it gave us: there may be several in a process.
struct KnownHost {
  Host host;
  OperatorDomain* domains[2];  // never released: sessions may outlive whoever asked for them
};

class KnownHosts {
 public:
  const KnownHost& of(const Versions& versions) {
    const Table table = versions.table(oldest_version);
    const std::lock_guard lock(mutex_);
    for (const auto& known : known_) {
      if (known->host.table() == table) return *known;
    }
    const Host host(table, versions.table(version_with_texts) != nullptr);
    OperatorDomain* const onnx = host.create_domain("");
    OperatorDomain* const own = host.create_domain("com.microsoft");
    for (const TypedOperator& op : typed_operators()) {
      host.add_operator(op.op == Operator::quantized_lstm ? own : onnx, op);
    }
    known_.push_back(std::make_unique<KnownHost>(KnownHost{host, {onnx, own}}));
    return *known_.back();
  }

  /// As kernels are made with; `table` has registered.
  const Host& of(Table table) {
    const std::lock_guard lock(mutex_);
    for (const auto& known : known_) {
      if (known->host.table() == table) return known->host;
    }
    throw HostError("a kernel for a host that has not registered");
  }

 private:
  /// Hosts keep where they are.
  static const std::vector<TypedOperator>& typed_operators() {
    static const auto* const all = [] {
      auto* const each = new std::vector<TypedOperator>;
      for (const Operator op : operators) {
        const bool quantized = op == Operator::quantized_lstm;
        each->emplace_back(op, quantized ? ElementType::int8 : ElementType::float32);
        each->emplace_back(op, quantized ? ElementType::uint8 : ElementType::float64);
      }
      return each;
    }();
    return *all;
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<KnownHost>> known_;
};

KnownHosts& known_hosts() {
  static auto* const all = new KnownHosts;  // sessions may be made while a process ends
  return *all;
}

/// What `body` throws, as the host's status; null where it does not.
template <class Body>
Status* reported(const Host& host, const std::string& name, Body&& body) noexcept {
  ErrorCode code = ErrorCode::fail;
  try {
    try {
      body();
      return nullptr;
    } catch (const std::invalid_argument& error) {
      code = ErrorCode::invalid_argument;
      return host.status(code, ("rnnfast, " + name + ": " + error.what()).c_str());
    } catch (const std::bad_alloc&) {
      return host.status(code, "rnnfast: there is not enough memory");
    } catch (const Interrupted&) {
      return host.status(code, "rnnfast: the process is told to stop");
    } catch (const std::exception& error) {
      return host.status(code, ("rnnfast, " + name + ": " + error.what()).c_str());
    }
  } catch (...) {  // no memory for words
    return host.status(code, "rnnfast failed");
  }
}

Status* create(const CustomOperator* of, const void* api, const KernelInfo* info, void** kernel) {
  const TypedOperator& op = typed_operator(of);
  const auto table = static_cast<Table>(const_cast<void*>(api));
  std::string name = name_of(op.op);
  return reported(Host(table, false), name, [&] {
    const Host& host = known_hosts().of(table);
    const std::string own = host.node_name(info);
    if (!own.empty()) name += " " + own;
    *kernel = new Kernel(host, info, name, op.op, op.matrices);
  });
}

Status* compute(void* kernel, KernelContext* context) {
  auto& own = *static_cast<Kernel*>(kernel);
  return reported(own.host(), own.name(), [&] { own.compute(context); });
}

/// Inputs of an operator: x, its weights, lengths and states; scales and zero points.
std::size_t inputs_of(const CustomOperator* of) {
  const Operator op = typed_operator(of).op;
  if (op == Operator::quantized_lstm) return 12;
  return is_lstm(op) ? 8 : 6;
}

ElementType type_of(const CustomOperator* of) {
  return scalar_of(typed_operator(of).matrices) == ScalarType::float32 ? ElementType::float32
                                                                       : ElementType::float64;
}

ElementType input_type_of(const CustomOperator* of, std::size_t number) {
  switch (number) {
    case of_w:
    case of_r:
    case of_w_zero_point:
    case of_r_zero_point:
      return typed_operator(of).matrices;
    case of_lengths:
      return ElementType::int32;
    default:
      return type_of(of);
  }
}

TypedOperator::TypedOperator(Operator of, ElementType type)
    : CustomOperator{}, op(of), matrices(type) {
  version = custom_operator_version;
  name = [](const CustomOperator* own) { return name_of(typed_operator(own).op); };
  provider = [](const CustomOperator*) -> const char* { return nullptr; };  // the CPU's
  input_count = inputs_of;
  output_count = [](const CustomOperator* own) {
    return std::size_t{is_lstm(typed_operator(own).op) ? 3U : 2U};
  };
  input_type = input_type_of;
  output_type = [](const CustomOperator* own, std::size_t) { return type_of(own); };
  input_presence = [](const CustomOperator*, std::size_t number) {
    return number <= of_r || number >= of_w_scale ? Presence::required : Presence::optional;
  };
  output_presence = [](const CustomOperator*, std::size_t) { return Presence::optional; };
  input_memory = [](const CustomOperator*, std::size_t) { return 0; };  // where all others are
  for (auto& none : of_variadic_ones) none = [](const CustomOperator*) { return 0; };
  destroy = [](void* kernel) { delete static_cast<Kernel*>(kernel); };
  create_or_fail = &onnx::create;
  compute_or_fail = &onnx::compute;
}

}  // namespace

void register_in(Domain domain) { domain_of_thread = domain; }

extern "C" Status* RegisterCustomOps(SessionOptions* options, const Versions* versions) {
  if (!versions->table(oldest_version)) {
    // Statuses are made as ever.
    return Host(versions->table(1), false)
        .status(ErrorCode::fail, "rnnfast needs ONNX Runtime 1.17 or later");
  }
  const Host any(versions->table(oldest_version), false);
  return reported(any, "registration", [&] {
    const KnownHost& known = known_hosts().of(*versions);
    known.host.add_domain(options, known.domains[static_cast<int>(domain_of_thread)]);
  });
}

}  // namespace rnnfast::onnx
