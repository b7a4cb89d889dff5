// A layer as it is served: its weights, packed, and what zoneout leaves of each state.
#pragma once

#include <memory>
#include <vector>

#include "api/call.hpp"
#include "api/packed.hpp"

namespace rnnfast {

/// How much of the state before it a step keeps, beside what the cell says: zoneout's mean.
struct Kept {
  double h = 0;
  double c = 0;
};

/// It never changes. Copies share their memory.
class ServedLayer {
 public:
  /// Throws std::bad_alloc.
  ServedLayer(Packed weights, const Kept& kept = {});

  const Packed& weights() const { return *weights_; }
  const Header& header() const { return weights_->header(); }
  /// Of h, or y; and of c, 0 where the cell has none.
  index output_width() const { return outputs_of(header().dims); }
  index memory_width() const { return header().traits->has_memory ? header().dims.units : 0; }
  /// Throws std::invalid_argument for an h (R,) that its weights cannot be multiplied with: beyond
  /// -1 and 1, where these are bytes.
  void require_state(const void* h) const;
  /// For a call of any sizes.
  Masks<void> masks() const;

 private:
  std::shared_ptr<const Packed> weights_;
  std::shared_ptr<const Arena> kept_;  // rows that keep as much of every number; null: nothing
};

/// Throws std::invalid_argument for no layer, and for one that does not take what the layer below
/// it gives, or numbers of another type. Each has so many directions, one after the other.
void require_fit(const std::vector<ServedLayer>& layers, index directions = 1);

}  // namespace rnnfast
