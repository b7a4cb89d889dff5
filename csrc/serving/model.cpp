#include "serving/model.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace rnnfast {
namespace {

/// The rows of masks that keep as much of every number.
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

void require_fits(const Header& below, const Header& layer, index number) {
  const std::string name = "layer " + std::to_string(number);
  if (layer.scalar != below.scalar) {
    throw std::invalid_argument(name + " is of another scalar type than the layer below it");
  }
  const index given = outputs_of(below.dims);
  if (layer.dims.inputs != given) {
    throw std::invalid_argument(name + " takes " + std::to_string(layer.dims.inputs) +
                                " inputs, the layer below it gives " + std::to_string(given));
  }
}

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

Model::Model(std::vector<ServedLayer> layers) : layers_(std::move(layers)) {
  if (layers_.empty()) throw std::invalid_argument("a model has a layer at least");
  for (const ServedLayer& layer : layers_) {
    const Header& made = layer.weights.header();
    if (kept_.size() > 0) {
      const auto below = static_cast<index>(kept_.size()) - 1;
      require_fits(weights(below).header(), made, below + 1);
    }
    const bool keeps = layer.kept.h != 0 || layer.kept.c != 0;
    kept_.push_back(keeps ? with_scalar(made.scalar,
                                        [&](auto zero) {
                                          return kept_rows<decltype(zero)>(made.dims, layer.kept);
                                        })
                          : Arena());
  }
}

Masks<void> Model::masks(index layer) const {
  const Arena& memory = kept_[static_cast<std::size_t>(layer)];
  if (!memory.data()) return {};
  return with_scalar(scalar(), [&](auto zero) {
    KeptRows<decltype(zero)> rows = {weights(layer).header().dims};
    place_in(memory.data(), rows);
    return Masks<void>{nullptr, {rows.h, 0, 0}, {rows.c, 0, 0}};
  });
}

std::size_t Model::bytes() const {
  std::size_t all = 0;
  for (const ServedLayer& layer : layers_) all += layer.weights.bytes();
  return all;
}

}  // namespace rnnfast
