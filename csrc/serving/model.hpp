// A stack of layers as it is served: weights packed once, for any number of streams.
//
//   x_0 = x,   y_l = layer l over x_l,   x_{l+1} = y_l,   y = y of the last
//
// Each layer runs forwards: a stream has no end from which another direction could begin. A model
// never changes; sessions and pools share it, on whatever threads.
#pragma once

#include "serving/layer.hpp"

namespace rnnfast {

class Model {
 public:
  /// Throws std::invalid_argument for no layer, and for layers that do not fit each other.
  explicit Model(std::vector<ServedLayer> layers);

  index layers() const { return static_cast<index>(layers_.size()); }
  const ServedLayer& layer(index i) const { return layers_[static_cast<std::size_t>(i)]; }
  const Packed& weights(index i) const { return layer(i).weights(); }
  Masks<void> masks(index i) const { return layer(i).masks(); }

  ScalarType scalar() const { return layers_.front().header().scalar; }
  index inputs() const { return layers_.front().header().dims.inputs; }
  index outputs() const { return layers_.back().output_width(); }
  index output_width(index i) const { return layer(i).output_width(); }
  index memory_width(index i) const { return layer(i).memory_width(); }
  /// Of packed weights.
  std::size_t bytes() const;

 private:
  std::vector<ServedLayer> layers_;
};

}  // namespace rnnfast
