// An emulated GPU as the general driver asks for one (cuda/general/device.hpp).
#pragma once

#include "cuda/general/device.hpp"
#include "cuda/stored.hpp"
#include "device.hpp"

namespace rnnfast::emulation {

class EmulatedStream {
 public:
  using Device = EmulatedDevice;

  explicit EmulatedStream(EmulatedDevice& device) : device_(device) {}

  int threads() const { return 32; }

  template <class T>
  T* take(index count) {
    return device_.reserve<T>("memory of a pass", static_cast<std::size_t>(count));
  }
  template <class T>
  const T* copy(const std::vector<T>& numbers) {
    return device_.copy("memory of a pass", numbers);
  }

  template <class Kernel>
  void run(index blocks, index shared_bytes, const Kernel& kernel) {
    device_.run({static_cast<int>(blocks), threads(), 1, static_cast<int>(shared_bytes)}, kernel);
  }

  /// By a kernel of one thread: every number that is read or written is looked at.
  template <class Stored>
  void multiply(const Product<Stored>& of) {
    using T = ScalarOf<Stored>;
    const auto at = [](const auto& matrix, index row, index column) {
      return matrix.turn == Turn::as_it_is ? matrix.first + row * matrix.stride + column
                                           : matrix.first + column * matrix.stride + row;
    };
    device_.run({1, 1}, [&](EmulatedThread& m) {
      for (index i = 0; i < of.rows; ++i) {
        for (index j = 0; j < of.columns; ++j) {
          T* const to = at(of.c, i, j);
          T sum = of.sum == Sum::added ? m.load(to) : T(0);
          for (index k = 0; k < of.length; ++k) {
            sum += load_as<T>(m, at(of.a, i, k)) * load_as<T>(m, at(of.b, k, j));
          }
          m.store(to, sum);
        }
      }
    });
  }

 private:
  EmulatedDevice& device_;
};

}  // namespace rnnfast::emulation
