// Layers as a file or a caller describes them, and packed: whole sequences of them, in one
// direction or in both.
#pragma once

#include <memory>
#include <vector>

#include "serving/model.hpp"

namespace rnnfast {

struct DescribedLayer {
  Weights weights;  // arrays as they lie in a file, or at the caller's
  Kept kept = {};
};

/// From the lowest layer up; of each its directions, forwards first.
struct DescribedStack {
  std::vector<DescribedLayer> layers;
  int directions = 1;
  bool sparse = false;  // whether W_hh is mostly zero
};

/// y (T, B, D*R) of x (T, B, I), with both directions side by side.
struct SequencesCall {
  index steps;
  index rows;
  const void* x;
  const index* lengths;  // (B,); null: all take all steps
  const void* before;    // (B, state size); null: zero
  void* y;
  void* after;  // null: not wanted
};

class Stack {
 public:
  /// Packed in a storage. Throws std::invalid_argument where layers do not fit each other or cannot
  /// be kept so, std::bad_alloc.
  Stack(const DescribedStack& of, StorageType storage);

  StorageType storage() const { return layers_[0].header().storage; }
  ScalarType scalar() const { return layers_[0].header().scalar; }
  index inputs() const { return layers_[0].header().dims.inputs; }
  index outputs() const { return directions_ * layers_.back().output_width(); }
  /// Numbers of a state: of each layer and direction h, then c where there is one.
  index state_size() const;
  std::size_t bytes() const;

  /// Throws std::invalid_argument for lengths or states that cannot be, std::bad_alloc.
  void run(const SequencesCall& call) const;

  /// As streams are served. Throws std::invalid_argument where layers run in both directions.
  std::shared_ptr<const Model> served() const;

 private:
  void require_states(const SequencesCall& call) const;

  std::vector<ServedLayer> layers_;
  int directions_;
};

}  // namespace rnnfast
