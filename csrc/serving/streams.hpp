// Streams of a model: their states, and the memory in which some of them take a few steps.
//
// Everything is made at the beginning: a plan for each layer, states, what one layer hands to the
// next, what a pass works in. Layers run one after the other in the same memory. So nothing is
// allocated, locked or waited for later on, and one thread does it all, the caller's. Passes that
// are alike but for their data, as single steps are, are made ready once.
#pragma once

#include <memory>
#include <type_traits>

#include "serving/model.hpp"

namespace rnnfast {

/// A sequence of arrays of a scalar type from a step, or from a row, on.
template <class Void>
Sequence<Void> beginning(const Sequence<Void>& all, index step, index row, ScalarType scalar) {
  using Byte = std::conditional_t<std::is_const_v<Void>, const char, char>;
  const index numbers = step * all.step_stride + row * all.row_stride;
  return {static_cast<Byte*>(all.data) + numbers * size_of(scalar), all.step_stride,
          all.row_stride};
}

/// The next steps of some streams.
struct StreamSteps {
  index steps;
  index rows;
  Sequence<const void> x;        // (T, rows, I)
  Sequence<void> y;              // (T, rows, R), where x is not
  const index* which = nullptr;  // (rows,), no stream twice; null: the first
};

class Streams {
 public:
  /// So many streams, all at zero. A take is of at most `rows` of them, and of at most
  /// `steps * rows` steps of all together. Throws std::bad_alloc.
  Streams(std::shared_ptr<const Model> model, index count, index steps, index rows);

  const Model& model() const { return *model_; }
  index count() const { return count_; }
  std::size_t bytes() const { return memory_.size(); }

  /// A stream's h and c in a layer, which are the caller's to read and to write.
  States<void> state(index layer, index stream) const noexcept;
  void reset(index stream) noexcept;

  void take(const StreamSteps& next) noexcept;

 private:
  struct Layer {
    CallPlan plan;
    States<void> states;  // (count, R), (count, H)
    char* standing;
  };

  void make_ready(const StreamSteps& next) noexcept;

  std::shared_ptr<const Model> model_;
  index count_;
  std::vector<Layer> layers_;
  void* handed_[2] = {};  // (steps, rows, R) of one layer, and of the next
  char* work_ = nullptr;
  StreamSteps ready_ = {};  // what the layers stand ready for
  Arena memory_;
};

}  // namespace rnnfast
