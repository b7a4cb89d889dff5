// The weights of one layer in one direction: as a caller has them, and packed.
#pragma once

#include <memory>

#include "api/header.hpp"
#include "base/arena.hpp"
#include "call/weights.hpp"

namespace rnnfast {

/// As a caller has them.
struct Weights {
  CellSpec cell;
  ScalarType scalar;
  Dims dims;  // without T and B
  WeightSet<const void> arrays;
};

/// Copied into the layout that kernels read, for any number of calls; never changed.
class Packed {
 public:
  Packed(const Header& header, Arena memory, std::size_t bytes)
      : header_(header), memory_(std::move(memory)), data_(memory_.data()), bytes_(bytes) {}
  Packed(const Header& header, std::shared_ptr<const char> of_device, std::size_t bytes)
      : header_(header), of_device_(std::move(of_device)), data_(of_device_.get()), bytes_(bytes) {}

  const Header& header() const { return header_; }
  const char* data() const { return data_; }
  /// That they take; their memory may have more.
  std::size_t bytes() const { return bytes_; }

 private:
  Header header_;
  Arena memory_;  // none where the memory is a device's
  std::shared_ptr<const char> of_device_;
  const char* data_;
  std::size_t bytes_;
};

}  // namespace rnnfast
