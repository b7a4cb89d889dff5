// A stack of layers as it is served: weights packed once, for any number of streams.
//
//   x_0 = x,   y_l = layer l over x_l,   x_{l+1} = y_l,   y = y of the last
//
// Each layer runs forwards: a stream has no end from which another direction could begin. A model
// never changes; sessions and pools share it, on whatever threads.
#pragma once

#include <vector>

#include "api/call.hpp"
#include "api/packed.hpp"

namespace rnnfast {

/// How much of the state before it a step keeps, beside what the cell says: zoneout's mean.
struct Kept {
  double h = 0;
  double c = 0;
};

struct ServedLayer {
  Packed weights;
  Kept kept = {};
};

class Model {
 public:
  /// Throws std::invalid_argument for no layer, and for one that does not take what the layer below
  /// gives, or other numbers.
  explicit Model(std::vector<ServedLayer> layers);

  index layers() const { return static_cast<index>(layers_.size()); }
  const Packed& weights(index layer) const { return at(layer).weights; }
  Masks<void> masks(index layer) const;

  ScalarType scalar() const { return weights(0).header().scalar; }
  index inputs() const { return weights(0).header().dims.inputs; }
  index outputs() const { return output_width(layers() - 1); }
  /// Of h, or y, of a layer; and of c, 0 where the cell has none.
  index output_width(index layer) const { return outputs_of(weights(layer).header().dims); }
  index memory_width(index layer) const {
    const Header& made = weights(layer).header();
    return made.traits->has_memory ? made.dims.units : 0;
  }
  /// Of packed weights.
  std::size_t bytes() const;

 private:
  const ServedLayer& at(index layer) const { return layers_[static_cast<std::size_t>(layer)]; }

  std::vector<ServedLayer> layers_;
  std::vector<Arena> kept_;  // of each layer a row for h, one for c; none where nothing is kept
};

}  // namespace rnnfast
