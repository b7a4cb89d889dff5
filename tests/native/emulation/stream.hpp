// An emulated GPU as the general driver asks for one (cuda/general/device.hpp). Its graphs are
// lists of launches.
#pragma once

#include <array>
#include <functional>
#include <map>

#include "cuda/chip.hpp"
#include "cuda/general/device.hpp"
#include "cuda/stored.hpp"
#include "device.hpp"

namespace rnnfast::emulation {

class EmulatedStream {
 public:
  using Device = EmulatedDevice;
  using Thread = EmulatedThread;
  using Graph = std::vector<std::function<void()>>;

  /// With a chip on which nothing is persistent, or another.
  explicit EmulatedStream(EmulatedDevice& device, const Chip& chip = {})
      : device_(device), chip_(chip) {}

  int threads() const { return 32; }
  const Chip& chip() const { return chip_; }

  template <class Kernel>
  void run(index blocks, index shared_bytes, const Kernel& kernel) {
    launch([this, blocks, shared_bytes, kernel] {
      device_.run({static_cast<int>(blocks), threads(), 1, static_cast<int>(shared_bytes)}, kernel);
    });
  }

  template <class Kernel>
  bool runs_together(const ResidentLaunch&) const {
    return true;
  }
  template <class Kernel>
  void run_together(const ResidentLaunch& as, const Kernel& kernel) {
    ++resident_launches_;
    launch([this, as, kernel] {
      device_.run({static_cast<int>(as.blocks), as.threads, std::max(as.cluster, 1),
                   static_cast<int>(as.shared_bytes)},
                  kernel);
    });
  }

  /// By a kernel of one thread: every number that is read or written is looked at.
  template <class Stored>
  void multiply(const Product<Stored>& of) {
    launch([this, of] { device_.run({1, 1}, [&](EmulatedThread& m) { multiply(m, of); }); });
  }

  template <class Work, class Body>
  void pass(Work& work, const CallKey& key, Body&& body) {
    PassMemory memory{*this};
    work.place(memory);
    recorded_ ? body() : recordings_.run(key, *this, body);
  }

  /// As somebody else captures a stream: what is launched from now on goes into a graph.
  void begin_capture(Graph& to) { recorded_ = &to; }
  void end_capture() { recorded_ = nullptr; }

  /// As a pass asks for them (cuda/recordings.hpp).
  template <class Body>
  Graph record(Body&& body) {
    Graph graph;
    recorded_ = &graph;
    try {
      body();
    } catch (...) {
      recorded_ = nullptr;
      throw;
    }
    recorded_ = nullptr;
    return graph;
  }
  void play(const Graph& graph) {
    for (const auto& one : graph) one();
  }

  /// The memory of passes, and with it what was recorded there.
  void give_back() {
    recordings_.forget();
    arrays_.clear();
  }

  std::size_t graphs() const { return recordings_.graphs(); }
  /// How often the driver has launched something, or had it recorded.
  int launches() const { return launches_; }
  /// Of them, those of persistent kernels.
  int resident_launches() const { return resident_launches_; }

 private:
  /// The same arrays for passes of the same sizes, of which nothing is known when one begins.
  struct PassMemory {
    EmulatedStream& of;
    std::size_t number = 0;

    template <class T>
    T* take(index count) {
      const auto numbers = static_cast<std::size_t>(count);
      void*& array = of.arrays_[{number++, numbers, sizeof(T)}];
      if (array) {
        of.device_.forget(array);
      } else {
        array = of.device_.template reserve<T>("memory of a pass", numbers);
      }
      return static_cast<T*>(array);
    }
  };

  template <class Body>
  void launch(Body&& body) {
    ++launches_;
    recorded_ ? recorded_->push_back(body) : body();
  }

  template <class Stored>
  static void multiply(EmulatedThread& m, const Product<Stored>& of) {
    using T = ScalarOf<Stored>;
    const auto at = [](const auto& matrix, index row, index column) {
      return matrix.turn == Turn::as_it_is ? matrix.first + row * matrix.stride + column
                                           : matrix.first + column * matrix.stride + row;
    };
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
  }

  EmulatedDevice& device_;
  const Chip chip_;
  Recordings<Graph> recordings_;
  Graph* recorded_ = nullptr;
  std::map<std::array<std::size_t, 3>, void*> arrays_;  // by place, size and size of numbers
  int launches_ = 0;
  int resident_launches_ = 0;
};

}  // namespace rnnfast::emulation
