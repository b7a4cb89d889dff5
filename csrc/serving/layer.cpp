#include "serving/layer.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "api/quantized.hpp"

namespace rnnfast {
namespace {

template <class T>
struct KeptRows {
  Dims dims;
  T* h = nullptr;
  T* c = nullptr;

  void place(Bump& bump) {
    h = bump.take<T>(outputs_of(dims));
    c = bump.take<T>(dims.units);
  }
};

template <class T>
Arena kept_rows(const Dims& dims, const Kept& kept) {
  KeptRows<T> rows = {dims};
  Arena memory(measure(rows));
  place_in(memory.data(), rows);
  std::fill_n(rows.h, outputs_of(dims), static_cast<T>(kept.h));
  std::fill_n(rows.c, dims.units, static_cast<T>(kept.c));
  return memory;
}

}  // namespace

ServedLayer::ServedLayer(Packed weights, const Kept& kept)
    : weights_(std::make_shared<const Packed>(std::move(weights))) {
  if (kept.h == 0 && kept.c == 0) return;
  kept_ = with_scalar(header().scalar, [&](auto zero) {
    return std::make_shared<const Arena>(kept_rows<decltype(zero)>(header().dims, kept));
  });
}

void ServedLayer::require_state(const void* h) const {
  if (header().storage != StorageType::int8) return;
  require_bounded("state h", static_cast<const float*>(h), output_width());
}

Masks<void> ServedLayer::masks() const {
  if (!kept_) return {};
  return with_scalar(header().scalar, [&](auto zero) {
    KeptRows<decltype(zero)> rows = {header().dims};
    place_in(kept_->data(), rows);
    return Masks<void>{nullptr, {rows.h, 0, 0}, {rows.c, 0, 0}};
  });
}

void require_fit(const std::vector<ServedLayer>& layers, index directions) {
  if (layers.empty()) throw std::invalid_argument("a model has a layer at least");
  const auto per_layer = static_cast<std::size_t>(directions);
  const Header& first = layers[0].header();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Header& layer = layers[i].header();
    const std::string name = "layer " + std::to_string(i / per_layer);
    if (layer.scalar != first.scalar) {
      throw std::invalid_argument(name + " is of another scalar type than the layer below it");
    }
    const index given = i < per_layer
                            ? first.dims.inputs
                            : directions * layers[i / per_layer * per_layer - 1].output_width();
    if (layer.dims.inputs != given) {
      throw std::invalid_argument(name + " takes " + std::to_string(layer.dims.inputs) +
                                  " inputs, the layer below it gives " + std::to_string(given));
    }
    if (layers[i / per_layer * per_layer].output_width() != layers[i].output_width()) {
      throw std::invalid_argument(name + " has directions of different widths");
    }
  }
}

}  // namespace rnnfast
