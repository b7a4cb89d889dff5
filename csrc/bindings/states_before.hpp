// States of streams as they were before a run that a signal may end.
#pragma once

#include <cstring>
#include <vector>

#include "serving/model.hpp"

namespace rnnfast {

class StatesBefore {
 public:
  /// Copies those of a stream, of which `state(layer)` gives a layer's.
  template <class OfLayer>
  void add(const Model& model, OfLayer&& state) {
    const index number = size_of(model.scalar());
    for (index layer = 0; layer < model.layers(); ++layer) {
      const States<void> own = state(layer);
      add(own.h, model.output_width(layer) * number);
      if (own.c) add(own.c, model.memory_width(layer) * number);
    }
  }

  void restore() const {
    for (const Copy& copy : copies_) {
      std::memcpy(copy.place, copy.bytes.data(), copy.bytes.size());
    }
  }

 private:
  struct Copy {
    char* place;
    std::vector<char> bytes;
  };

  void add(void* state, index bytes) {
    auto* const place = static_cast<char*>(state);
    copies_.push_back({place, std::vector<char>(place, place + bytes)});
  }

  std::vector<Copy> copies_;
};

}  // namespace rnnfast
