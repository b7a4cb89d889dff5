// A stream of the emulated GPU as doors see it, with the driver's device.
#pragma once

#include "../stream.hpp"
#include "api/device.hpp"
#include "gpu.hpp"

namespace rnnfast::emulation {

/// With few and small blocks, so that some calls of tests are taken by persistent kernels.
constexpr Chip small_chip = {3, 90, 32, 16 << 10, true, 0};

/// What a host, as PyTorch, has captured: launches, and memory that is theirs.
struct CapturedGraph {
  EmulatedStream::Graph launches;
  std::vector<std::shared_ptr<char>> memory;
};

class StreamOfGpu : public DeviceStream {
 public:
  EmulatedStream passes{gpu().device, small_chip};

  virtual void begin_capture(CapturedGraph& to) = 0;
  virtual void end_capture() = 0;
};

}  // namespace rnnfast::emulation
