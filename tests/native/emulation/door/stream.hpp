// A stream of the emulated GPU as doors see it, with the driver's device.
#pragma once

#include "../stream.hpp"
#include "api/device.hpp"
#include "gpu.hpp"

namespace rnnfast::emulation {

/// With few and small blocks, so that some calls of tests are taken by persistent kernels.
constexpr Chip small_chip = {3, 90, 32, 16 << 10, true, 0};

class StreamOfGpu : public DeviceStream {
 public:
  EmulatedStream passes{gpu().device, small_chip};
};

}  // namespace rnnfast::emulation
