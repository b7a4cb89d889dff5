// A stream of a device, as a door and the backend see one. What a device is made of, csrc/cuda/
// knows; tests have one that is emulated.
//
// All is done in the order of the stream, and nothing waits for it but `wait`. Functions are called
// while a Turn lives. They throw std::bad_alloc for refused memory, after which the stream goes on,
// and std::runtime_error, with the device's name for it, for all else; what went wrong within an
// earlier call is found by the next.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "api/call.hpp"
#include "api/header.hpp"
#include "api/packed.hpp"
#include "random/philox.hpp"

namespace rnnfast {

class DeviceStream;

/// A forward pass. `rows` by rank, null for sequences that take all steps, lie on the host.
struct DeviceForward {
  const CellSpec& cell;
  const Call& call;
  const CallPlan& plan;
  const SequenceRow* rows;
  const char* packed;
  char* tape;  // null for inference
};

struct DeviceBackward {
  const CellSpec& cell;
  const Pullback& call;
  const CallPlan& plan;
  const SequenceRow* rows;
  const char* tape;
};

struct DeviceTrace {
  const CellSpec& cell;
  const TraceTo& to;
  const CallPlan& plan;
  const SequenceRow* rows;
  const char* tape;
};

/// A cell for arrays of one type, as kernels of the device know it.
struct DeviceCell {
  const char* name;
  CellTraits traits;
  std::size_t (*packed_bytes)(const Dims& dims);
  std::size_t (*tape_bytes)(const CallPlan& plan);
  void (*pack)(DeviceStream& stream, const Weights& weights, char* to);
  void (*forward)(DeviceStream& stream, const DeviceForward& call);
  void (*backward)(DeviceStream& stream, const DeviceBackward& call);
  void (*trace)(DeviceStream& stream, const DeviceTrace& call);
};

/// An array of a device, of up to four axes; strides count elements.
struct DeviceView {
  static constexpr int axes = 4;
  void* data;
  index sizes[axes];
  index strides[axes];
};

/// What a mask is drawn from: number i < level ? below : above.
struct DrawnMask {
  RandomStream stream;
  std::uint32_t level;
  double below;
  double above;
  const std::uint64_t* seed = nullptr;  // on the device, in place of the stream's
  std::uint64_t rest = 0;  // below as well with a chance of rest 2^-64, by words of another half
};

class DeviceStream {
 public:
  /// While it lives, this thread alone launches on the stream.
  class Turn {
   public:
    explicit Turn(DeviceStream& stream) : stream_(stream), alone_(stream.alone_) { stream.enter(); }
    ~Turn() { stream_.leave(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    DeviceStream& stream_;
    std::lock_guard<std::mutex> alone_;
  };

  virtual ~DeviceStream() = default;

  /// Whose kernels these are.
  virtual const char* target() const = 0;
  virtual std::span<const DeviceCell> cells(StorageType arrays, bool chooses) const = 0;

  /// Memory that goes back in the order of the stream, by any thread; null for no bytes.
  virtual std::shared_ptr<char> take(std::size_t bytes) = 0;
  /// Memory for calls on any stream: whoever gives it back waits until the device is idle.
  virtual std::shared_ptr<char> keep(std::size_t bytes) = 0;
  /// From the host, which may change its numbers afterwards; refused while somebody captures it.
  virtual void copy_in(const void* from, std::size_t bytes, void* to) = 0;
  /// Views of one type of numbers and of the same sizes; a stride of 0 reads a number again.
  virtual void fill(StorageType type, double value, const DeviceView& to) = 0;
  virtual void copy(StorageType type, const DeviceView& from, const DeviceView& to) = 0;
  virtual void add(StorageType type, const DeviceView& a, const DeviceView& b,
                   const DeviceView& to) = 0;
  /// By a mask, of the scalar that numbers of the type are computed in.
  virtual void apply_mask(StorageType type, const DeviceView& from, const DeviceView& mask,
                          const DeviceView& to) = 0;
  /// The bits that random/masks.hpp draws for the host; `count` of them, dense.
  virtual void draw_mask(ScalarType scalar, const DrawnMask& mask, index count, void* to) = 0;
  /// to[places[i]] = value; the places, no two of them the same, lie on the device.
  virtual void put(ScalarType scalar, double value, const index* places, index count, void* to) = 0;

  /// What is launched from now on comes after all that another stream has been given.
  virtual void wait_for(std::uintptr_t other) = 0;
  /// The same the other way round.
  virtual void hold_up(std::uintptr_t other) = 0;
  /// The host waits until all is done.
  virtual void wait() = 0;

 private:
  /// Make its device the thread's, and what was the thread's again.
  virtual void enter() = 0;
  virtual void leave() noexcept = 0;

  std::mutex alone_;
};

/// Says why a copy from the host can be no part of a graph, and of what masks that is so.
[[noreturn]] inline void refuse_captured_copy() {
  throw std::runtime_error(
      "a graph would read the host's memory once more; while one is captured, take rates that are "
      "multiples of 2^-16, such as 0.5 and 0.25");
}

// What follows, csrc/cuda/gpu/ defines, and the emulation of tests.

struct DeviceFacts {
  std::string name;
  int major;  // of its compute capability
  int minor;
  std::size_t bytes;
};

/// Versions as CUDA counts them, 13000 for 13.0; 0 where there is no driver.
struct DriverFacts {
  int runtime;
  int driver;
  std::string missing;  // why there are no devices; "" if there are some
};

DriverFacts driver_facts();
/// None where no driver is.
std::vector<DeviceFacts> device_facts();

/// The device that an address is of. Throws std::runtime_error for an address of none.
int device_of(const void* address);

/// A stream of a device by CUDA's handle, or 1 for the legacy default stream and 2 for that of this
/// thread. It lives as long as the process.
DeviceStream& device_stream(int device, std::uintptr_t stream);

/// The file that products are made by, found in one of these libraries; they are looked for once.
/// Throws std::runtime_error that says what was tried.
std::string product_library(const std::vector<std::string>& libraries);

}  // namespace rnnfast
