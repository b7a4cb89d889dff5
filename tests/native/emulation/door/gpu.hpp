// The emulated GPU that doors are tested with: its memory, and what tests make it do.
#pragma once

#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../device.hpp"

namespace rnnfast::emulation {

class Gpu {
 public:
  EmulatedDevice device;
  std::size_t limit = std::numeric_limits<std::size_t>::max();  // bytes
  std::size_t taken = 0;
  std::string pending;  // an error that is found by the next call
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> waits;  // which stream, for which

  /// Before anything is launched. Throws what went wrong since.
  void begin();

  /// Memory of which nothing is known. Throws std::bad_alloc beyond the limit.
  std::shared_ptr<char> take(std::size_t bytes);
  void write(const void* from, std::size_t bytes, void* to);

 private:
  std::mutex mutex_;
  int faults_seen_ = 0;
};

Gpu& gpu();

}  // namespace rnnfast::emulation
