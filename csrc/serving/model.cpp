#include "serving/model.hpp"

namespace rnnfast {

Model::Model(std::vector<ServedLayer> layers) : layers_(std::move(layers)) { require_fit(layers_); }

std::size_t Model::bytes() const {
  std::size_t all = 0;
  for (const ServedLayer& layer : layers_) all += layer.weights().bytes();
  return all;
}

}  // namespace rnnfast
