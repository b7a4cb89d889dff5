#include "doors/onnxruntime/kernel.hpp"

#include "base/fingerprint.hpp"
#include "doors/onnxruntime/pass.hpp"

namespace rnnfast::onnx {
namespace {

std::atomic<long long> calls{0};

Attributes attributes_of(const Host& host, const KernelInfo* info) {
  Attributes found;
  const auto flag = [&](const char* name) {
    std::int64_t value = 0;
    return host.integer(info, name, value) && value != 0;
  };
  host.text(info, "direction", found.direction);
  host.integer(info, "hidden_size", found.hidden_size);
  host.integer(info, "layout", found.layout);
  found.activations = host.texts(info, "activations");
  found.activation_alpha = host.numbers(info, "activation_alpha");
  found.activation_beta = host.numbers(info, "activation_beta");
  found.clips = host.number(info, "clip", found.clip);
  found.input_forget = flag("input_forget");
  found.linear_before_reset = flag("linear_before_reset");
  return found;
}

/// body(place, tensor, size of a number) for each tensor that is a weight.
template <class Weights, class Body>
void for_weights(Operator op, ElementType matrices, Weights& weights, Body&& body) {
  const auto of_scalar = static_cast<std::size_t>(size_of(scalar_of(matrices)));
  const std::size_t of_matrix = is_quantized(matrices) ? 1 : of_scalar;
  body(of_w, weights.w, of_matrix);
  body(of_r, weights.r, of_matrix);
  body(of_b, weights.b, of_scalar);
  if (is_lstm(op)) body(of_p, weights.p, of_scalar);
  if (!is_quantized(matrices)) return;
  body(of_w_scale, weights.of_w.scale, of_scalar);
  body(of_w_zero_point, weights.of_w.zero_point, of_matrix);
  body(of_r_scale, weights.of_r.scale, of_scalar);
  body(of_r_zero_point, weights.of_r.zero_point, of_matrix);
}

/// The weights of a node; whether none of them can change.
bool constant_weights(const Host& host, const KernelInfo* info, Operator op, ElementType matrices,
                      NodeWeights& weights) {
  const auto is_fixed = [&](std::size_t number, Tensor& tensor) {
    return !host.has_input(info, number) || host.constant_input(info, number, tensor);
  };
  bool all = true;
  for_weights(op, matrices, weights, [&](std::size_t number, Tensor& tensor, std::size_t) {
    all = all && is_fixed(number, tensor);
  });
  return all;
}

std::uint64_t fingerprint_of(const NodeWeights& weights, Operator op, ElementType matrices) {
  std::vector<Memory> all;
  for_weights(op, matrices, weights, [&](std::size_t, const Tensor& tensor, std::size_t each) {
    all.push_back({reinterpret_cast<const char*>(tensor.shape.data()),
                   tensor.shape.size() * sizeof(std::int64_t)});
    std::size_t bytes = tensor.data ? each : 0;
    for (const std::int64_t size : tensor.shape) bytes *= static_cast<std::size_t>(size);
    all.push_back({static_cast<const char*>(tensor.data), bytes});
  });
  return fingerprint(all);
}

}  // namespace

long long kernel_calls() { return calls.load(std::memory_order_relaxed); }

Kernel::Kernel(const Host& host, const KernelInfo* info, std::string name, Operator op,
               ElementType matrices)
    : host_(host),
      op_(op),
      matrices_(matrices),
      name_(std::move(name)),
      attributes_(attributes_of(host, info)) {
  // Throws what is wrong with them now.
  directions_of(op, attributes_, is_lstm(op) && host.has_input(info, of_p));
  NodeWeights weights;
  is_constant_ = constant_weights(host, info, op, matrices, weights);
  if (is_constant_) {
    packed_ = std::make_shared<const PackedNode>(pack_node(op, attributes_, matrices, weights));
  }
}

NodeWeights Kernel::weights_in(const KernelContext* context) const {
  NodeWeights weights;
  for_weights(op_, matrices_, weights, [&](std::size_t number, Tensor& tensor, std::size_t) {
    tensor = host_.input(context, number);
  });
  return weights;
}

std::shared_ptr<const PackedNode> Kernel::packed_for(const KernelContext* context) {
  if (is_constant_) return packed_;
  const NodeWeights weights = weights_in(context);
  const std::uint64_t seen = fingerprint_of(weights, op_, matrices_);
  {
    const std::lock_guard lock(mutex_);
    if (packed_ && fingerprint_ == seen) return packed_;
  }
  auto packed = std::make_shared<const PackedNode>(pack_node(op_, attributes_, matrices_, weights));
  const std::lock_guard lock(mutex_);
  packed_ = packed;
  fingerprint_ = seen;
  return packed;
}

void Kernel::compute(KernelContext* context) {
  const PoolThreads threads(host_, context, pool_size_.of(host_, context));
  const std::shared_ptr<const PackedNode> packed = packed_for(context);
  PassInputs given = {host_.input(context, of_x),
                      host_.input(context, of_lengths),
                      host_.input(context, of_initial_h),
                      {}};
  if (is_lstm(op_)) given.initial_c = host_.input(context, of_initial_c);
  const PassSizes sizes = sizes_of(*packed, attributes_.layout == 1, given);
  const PassOutputs out = {
      host_.output(context, 0, sizes.shape_of_y()),
      host_.output(context, 1, sizes.shape_of_state()),
      is_lstm(op_) ? host_.output(context, 2, sizes.shape_of_state()) : nullptr};
  run_pass(*packed, sizes, given, out);
  calls.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace rnnfast::onnx
