#include "doors/onnxruntime/kernel.hpp"

#include "base/fingerprint.hpp"
#include "doors/onnxruntime/pass.hpp"

namespace rnnfast::onnx {
namespace {

// Places of a node's inputs.
enum : std::size_t { of_x, of_w, of_r, of_b, of_lengths, of_initial_h, of_initial_c, of_p };

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

/// The weights of a node if none of them can change.
bool constant_weights(const Host& host, const KernelInfo* info, NodeWeights& weights) {
  const auto is_fixed = [&](std::size_t number, Tensor& tensor) {
    return !host.has_input(info, number) || host.constant_input(info, number, tensor);
  };
  return is_fixed(of_w, weights.w) && is_fixed(of_r, weights.r) && is_fixed(of_b, weights.b) &&
         is_fixed(of_p, weights.p);
}

std::uint64_t fingerprint_of(const NodeWeights& weights, ScalarType scalar) {
  std::vector<Memory> all;
  for (const Tensor* tensor : {&weights.w, &weights.r, &weights.b, &weights.p}) {
    all.push_back({reinterpret_cast<const char*>(tensor->shape.data()),
                   tensor->shape.size() * sizeof(std::int64_t)});
    auto bytes = static_cast<std::size_t>(tensor->data ? size_of(scalar) : 0);
    for (const std::int64_t size : tensor->shape) bytes *= static_cast<std::size_t>(size);
    all.push_back({static_cast<const char*>(tensor->data), bytes});
  }
  return fingerprint(all);
}

}  // namespace

long long kernel_calls() { return calls.load(std::memory_order_relaxed); }

Kernel::Kernel(const Host& host, const KernelInfo* info, std::string name, Operator op,
               ScalarType scalar)
    : host_(host),
      op_(op),
      scalar_(scalar),
      name_(std::move(name)),
      attributes_(attributes_of(host, info)) {
  directions_of(op, attributes_, host.has_input(info, of_p));  // throws what is wrong with them now
  NodeWeights weights;
  is_constant_ = constant_weights(host, info, weights);
  if (is_constant_) {
    packed_ = std::make_shared<const PackedNode>(pack_node(op, attributes_, scalar, weights));
  }
}

NodeWeights Kernel::weights_in(const KernelContext* context) const {
  NodeWeights weights = {
      host_.input(context, of_w), host_.input(context, of_r), host_.input(context, of_b), {}};
  if (op_ == Operator::lstm) weights.p = host_.input(context, of_p);
  return weights;
}

std::shared_ptr<const PackedNode> Kernel::packed_for(const KernelContext* context) {
  if (is_constant_) return packed_;
  const NodeWeights weights = weights_in(context);
  const std::uint64_t seen = fingerprint_of(weights, scalar_);
  {
    const std::lock_guard lock(mutex_);
    if (packed_ && fingerprint_ == seen) return packed_;
  }
  auto packed = std::make_shared<const PackedNode>(pack_node(op_, attributes_, scalar_, weights));
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
  if (op_ == Operator::lstm) given.initial_c = host_.input(context, of_initial_c);
  const PassSizes sizes = sizes_of(*packed, attributes_.layout == 1, given);
  const PassOutputs out = {
      host_.output(context, 0, sizes.shape_of_y()),
      host_.output(context, 1, sizes.shape_of_state()),
      op_ == Operator::lstm ? host_.output(context, 2, sizes.shape_of_state()) : nullptr};
  run_pass(*packed, scalar_, sizes, given, out);
  calls.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace rnnfast::onnx
