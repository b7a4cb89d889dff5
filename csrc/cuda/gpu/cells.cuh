// What the files of cells have in common: the driver's streams, each file its own, since what is
// compiled in them is known to no other.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "cells/registry.hpp"
#include "cuda/backend/cells.hpp"
#include "cuda/gpu/stream.hpp"
#include "cuda/gpu_stream.cuh"

namespace rnnfast {
namespace {

struct OnGpu {
  static GpuStream& of(DeviceStream& stream) {
    static std::mutex alone;
    static std::map<DeviceStream*, std::unique_ptr<GpuStream>> all;
    auto& own = static_cast<StreamOfGpu&>(stream);
    const std::lock_guard locked(alone);
    std::unique_ptr<GpuStream>& found = all[&stream];
    if (!found) found = std::make_unique<GpuStream>(own.handle(), own.blas());
    return *found;
  }
};

template <class Cell, class Stored>
DeviceCell on_gpu(const char* name) {
  return CellOnDevice<OnGpu, Cell, Stored>::functions(name);
}

}  // namespace
}  // namespace rnnfast
