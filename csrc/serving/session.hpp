// One stream of a model: a state that goes on from step to step.
//
// The thread that calls does the work, and a session is for one of them at a time. Nothing is
// allocated, locked or waited for once it is made; subnormal numbers are flushed meanwhile, and the
// caller's floating-point mode comes back. The bits are those of the whole sequence at once.
#pragma once

#include "serving/streams.hpp"

namespace rnnfast {

class Session {
 public:
  /// With a state of zero. Throws std::bad_alloc.
  explicit Session(std::shared_ptr<const Model> model);

  const Model& model() const { return streams_.model(); }
  std::size_t bytes() const { return streams_.bytes(); }

  /// y (R,) of the next step, from x (I,).
  void step(const void* x, void* y) noexcept;
  /// The same of T steps, x (T, I) and y (T, R), whose strides between rows are free.
  void run(index steps, Sequence<const void> x, Sequence<void> y) noexcept;

  /// h and c of a layer, which are the caller's to read and to write.
  States<void> state(index layer) const noexcept { return streams_.state(layer, 0); }
  /// Back to zero.
  void reset() noexcept { streams_.reset(0); }

 private:
  Streams streams_;
};

}  // namespace rnnfast
