// A stream of the emulated GPU as doors see it, with the driver's device.
#pragma once

#include "../stream.hpp"
#include "api/device.hpp"
#include "gpu.hpp"

namespace rnnfast::emulation {

class StreamOfGpu : public DeviceStream {
 public:
  EmulatedStream passes{gpu().device};
};

}  // namespace rnnfast::emulation
