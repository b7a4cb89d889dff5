#include "gpu.hpp"

#include <new>
#include <stdexcept>

#include "base/float16.hpp"

namespace rnnfast::emulation {

Gpu& gpu() {
  static Gpu only;
  return only;
}

void Gpu::begin() {
  if (!pending.empty()) throw std::runtime_error("CUDA: " + std::exchange(pending, ""));
  if (const int faults = testing::failures(); faults > faults_seen_) {
    faults_seen_ = faults;
    throw std::runtime_error("the emulation has found a fault, which it has printed");
  }
}

std::shared_ptr<char> Gpu::take(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::lock_guard locked(mutex_);
  if (bytes > limit - taken) throw std::bad_alloc();
  // What is known of memory is known of whole numbers, the shortest of floating point; a mask of
  // bools has shorter ones.
  const bool of_floats = bytes % sizeof(Float16) == 0;
  char* const array =
      of_floats
          ? reinterpret_cast<char*>(device.reserve<Float16>("memory", bytes / sizeof(Float16)))
          : device.reserve<char>("memory", bytes);
  taken += bytes;
  return {array, [this, bytes](char* done) {
            const std::lock_guard locked(mutex_);
            device.release(done);
            taken -= bytes;
          }};
}

void Gpu::write(const void* from, std::size_t bytes, void* to) {
  const std::lock_guard locked(mutex_);
  device.write_bytes(from, bytes, to);
}

}  // namespace rnnfast::emulation
