// Streams of emulated GPUs as doors see them (api/device.hpp), so that what Python calls for a GPU
// runs on a CPU. All memory is the emulation's, that of the caller too: another address is a fault.
#define RNNFAST_ONE_LANE

#include "stream.hpp"

#include <map>
#include <stdexcept>

#include "cells.hpp"
#include "cuda/backend/drawn_masks.hpp"
#include "cuda/backend/elements.hpp"
#include "gpu.hpp"

namespace rnnfast {
namespace {

using emulation::EmulatedStream;
using emulation::gpu;

class DoorStream final : public emulation::StreamOfGpu {
 public:
  explicit DoorStream(std::uintptr_t name) : name_(name), elements_(passes) {}

  const char* target() const override { return "an emulated GPU"; }
  std::span<const DeviceCell> cells(StorageType arrays, bool chooses) const override {
    return emulation::cells(arrays, chooses);
  }
  std::shared_ptr<char> keep(std::size_t bytes) override { return take(bytes); }
  std::shared_ptr<char> take(std::size_t bytes) override {
    std::shared_ptr<char> memory = gpu().take(bytes);
    if (captured_) captured_->memory.push_back(memory);
    return memory;
  }
  void copy_in(const void* from, std::size_t bytes, void* to) override {
    if (captured_) refuse_captured_copy();
    gpu().write(from, bytes, to);
  }
  void fill(StorageType type, double value, const DeviceView& to) override {
    elements_.fill(type, value, to);
  }
  void copy(StorageType type, const DeviceView& from, const DeviceView& to) override {
    elements_.copy(type, from, to);
  }
  void add(StorageType type, const DeviceView& a, const DeviceView& b,
           const DeviceView& to) override {
    elements_.add(type, a, b, to);
  }
  void apply_mask(StorageType type, const DeviceView& from, const DeviceView& mask,
                  const DeviceView& to) override {
    elements_.apply_mask(type, from, mask, to);
  }
  void draw_mask(ScalarType scalar, const DrawnMask& mask, index count, void* to) override {
    rnnfast::draw_mask(passes, scalar, mask, count, to);
  }
  void put(ScalarType scalar, double value, const index* places, index count, void* to) override {
    rnnfast::put(passes, scalar, value, places, count, to);
  }

  void wait_for(std::uintptr_t other) override { gpu().waits.push_back({name_, other}); }
  void hold_up(std::uintptr_t other) override { gpu().waits.push_back({other, name_}); }
  void wait() override {
    if (captured_) throw std::runtime_error("CUDA: cudaErrorStreamCaptureUnsupported");
  }

  void begin_capture(emulation::CapturedGraph& to) override {
    captured_ = &to;
    passes.begin_capture(to.launches);
  }
  void end_capture() override {
    captured_ = nullptr;
    passes.end_capture();
  }

 private:
  void enter() override { gpu().begin(); }
  void leave() noexcept override {}

  std::uintptr_t name_;
  emulation::CapturedGraph* captured_ = nullptr;  // by somebody else
  Elements<EmulatedStream> elements_;
};

}  // namespace

DriverFacts driver_facts() { return {13000, 13000, ""}; }

std::vector<DeviceFacts> device_facts() {
  return {2, {"an emulated GPU", 9, 0, std::size_t{1} << 30}};
}

int device_of(const void*) { return 0; }

DeviceStream& device_stream(int device, std::uintptr_t stream) {
  static std::map<std::pair<int, std::uintptr_t>, std::unique_ptr<DoorStream>> all;
  if (device < 0 || device > 1) throw std::runtime_error("CUDA: cudaErrorInvalidDevice");
  auto& found = all[{device, stream}];
  if (!found) found = std::make_unique<DoorStream>(stream);
  return *found;
}

std::string product_library(const std::vector<std::string>&) { return "emulated"; }

}  // namespace rnnfast
