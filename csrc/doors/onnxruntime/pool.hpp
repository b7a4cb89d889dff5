// The threads of ONNX Runtime's pool, lent to our calls. Threads of ours beside them would be in
// their way: between operators they spin.
#pragma once

#include <atomic>

#include "base/threads.hpp"
#include "doors/onnxruntime/host.hpp"

namespace rnnfast::onnx {

/// How many threads a session's pool has, the caller among them. The host does not say; it is found
/// out by meeting, in calls that become rarer and rarer.
class PoolSize {
 public:
  int of(const Host& host, const KernelContext* context);

 private:
  std::atomic<unsigned> calls_{0};
  std::atomic<int> most_{1};  // that have met
};

/// Has them help, while it lives, with the calls of the thread that runs an operator.
class PoolThreads {
 public:
  PoolThreads(const Host& host, const KernelContext* context, int count);

 private:
  static void run(void* pool, int shares, void (*work)(void* context, int id), void* context);

  const Host& host_;
  const KernelContext* context_;
  const Borrowing borrowing_;
};

}  // namespace rnnfast::onnx
