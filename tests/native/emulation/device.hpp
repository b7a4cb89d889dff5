// An emulated GPU as tests see one: memory, and kernels that run.
#pragma once

#include "../check.hpp"
#include "thread.hpp"

namespace rnnfast::emulation {

class EmulatedDevice {
 public:
  explicit EmulatedDevice(unsigned seed = 1) : seed_(seed) {}

  template <class T>
  T* reserve(const char* name, std::size_t count) {
    return memory_.template reserve<T>(name, count);
  }
  template <class T>
  T* copy(const char* name, const std::vector<T>& numbers) {
    return memory_.copy(name, numbers);
  }
  template <class T>
  std::vector<T> numbers(const T* array, std::size_t count) const {
    return {array, array + count};
  }
  template <class T>
  void write(T* array, const std::vector<T>& numbers) {
    std::copy(numbers.begin(), numbers.end(), array);
  }
  void write_bytes(const void* from, std::size_t bytes, void* to) {
    memory_.write(from, bytes, to);
  }
  void release(const void* array) { memory_.release(array); }
  /// How many numbers of an array no kernel has written.
  template <class T>
  std::size_t unwritten(const T* array, std::size_t) {
    return memory_.unwritten(array);
  }

  void forget(const void* array) { memory_.forget(array); }

  template <class Kernel>
  void run(LaunchSizes sizes, const Kernel& kernel) {
    sizes.seed = seed_;
    for (const std::string& fault : launch(memory_, sizes, kernel)) {
      CHECK(false, "%s", fault.c_str());
    }
  }

 private:
  unsigned seed_;
  Memory memory_;
};

}  // namespace rnnfast::emulation
