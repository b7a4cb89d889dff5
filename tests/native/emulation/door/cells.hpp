// The cells that the emulated GPU of doors knows.
#pragma once

#include <span>

#include "api/device.hpp"

namespace rnnfast::emulation {

std::span<const DeviceCell> cells(StorageType arrays, bool chooses);

}  // namespace rnnfast::emulation
