// The kernel of a node: what a host makes when it makes a session, and runs in every call, from any
// number of threads at once.
#pragma once

#include <memory>
#include <mutex>

#include "doors/onnxruntime/pool.hpp"
#include "doors/onnxruntime/weights.hpp"

namespace rnnfast::onnx {

/// Places of a node's inputs.
enum : std::size_t {
  of_x,
  of_w,
  of_r,
  of_b,
  of_lengths,
  of_initial_h,
  of_initial_c,
  of_p,
  of_w_scale,
  of_w_zero_point,
  of_r_scale,
  of_r_zero_point
};

class Kernel {
 public:
  /// Constant weights are packed here, once.
  Kernel(const Host& host, const KernelInfo* info, std::string name, Operator op,
         ElementType matrices);

  void compute(KernelContext* context);

  const Host& host() const { return host_; }
  /// As messages begin: "LSTM encoder".
  const std::string& name() const { return name_; }

 private:
  NodeWeights weights_in(const KernelContext* context) const;
  std::shared_ptr<const PackedNode> packed_for(const KernelContext* context);

  Host host_;
  Operator op_;
  ElementType matrices_;
  std::string name_;
  Attributes attributes_;
  PoolSize pool_size_;

  // Weights that may be others in each call are packed anew if any of their bytes is another.
  bool is_constant_ = false;
  std::mutex mutex_;  // of these
  std::shared_ptr<const PackedNode> packed_;
  std::uint64_t fingerprint_ = 0;
};

/// Passes that kernels have run in this process, both directions of a node together.
long long kernel_calls();

}  // namespace rnnfast::onnx
