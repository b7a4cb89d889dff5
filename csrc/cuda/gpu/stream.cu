// Streams of GPUs, and what is known of these.
#include <dlfcn.h>

#include <map>
#include <optional>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "cuda/backend/drawn_masks.hpp"
#include "cuda/backend/elements.hpp"
#include "cuda/gpu/stream.hpp"
#include "cuda/gpu_graph.cuh"
#include "cuda/gpu_launch.cuh"

namespace rnnfast {
namespace {

/// A device is the thread's while this lives.
class OnDevice {
 public:
  explicit OnDevice(int device) {
    cudaGetDevice(&before_);
    if (device != before_) cudaSetDevice(device);  // the next call says if there is none
  }
  ~OnDevice() { cudaSetDevice(before_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  int before_ = 0;
};

/// What operations on arrays ask of a device.
struct Launches {
  cudaStream_t stream;

  int threads() const { return gpu_threads; }
  template <class Kernel>
  void run(index blocks, index shared_bytes, const Kernel& kernel) {
    run_kernel<Kernel><<<static_cast<unsigned>(blocks), gpu_threads,
                         static_cast<std::size_t>(shared_bytes), stream>>>(kernel);
    require(cudaPeekAtLastError());
  }
};

class Event {
 public:
  /// Of all that a stream has been given.
  explicit Event(cudaStream_t stream) {
    require(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming));
    if (const cudaError_t status = cudaEventRecord(event_, stream); status != cudaSuccess) {
      cudaEventDestroy(event_);
      require(status);
    }
  }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void hold_up(cudaStream_t stream) const { require(cudaStreamWaitEvent(stream, event_, 0)); }

 private:
  cudaEvent_t event_ = nullptr;
};

struct Products {
  std::optional<Blas> blas;
  std::string library;
  std::mutex alone;
};

Products& products() {
  static Products found;
  return found;
}

cudaStream_t handle_of(std::uintptr_t stream) { return reinterpret_cast<cudaStream_t>(stream); }

std::span<const DeviceCell> fixed_cells(StorageType arrays) {
  switch (arrays) {
    case StorageType::float32:
      return fixed_cells_in_float32();
    case StorageType::float64:
      return fixed_cells_in_float64();
    case StorageType::float16:
      return fixed_cells_in_float16();
    case StorageType::bfloat16:
      return fixed_cells_in_bfloat16();
    case StorageType::int8:
    case StorageType::sparse:
      break;
  }
  return {};
}

std::span<const DeviceCell> chosen_cells(StorageType arrays) {
  switch (arrays) {
    case StorageType::float32:
      return chosen_cells_in_float32();
    case StorageType::float64:
      return chosen_cells_in_float64();
    case StorageType::float16:
      return chosen_cells_in_float16();
    case StorageType::bfloat16:
      return chosen_cells_in_bfloat16();
    case StorageType::int8:
    case StorageType::sparse:
      break;
  }
  return {};
}

class GpuDoorStream final : public StreamOfGpu {
 public:
  GpuDoorStream(int device, std::uintptr_t stream)
      : device_(device), launches_{handle_of(stream)}, elements_(launches_) {}

  cudaStream_t handle() const override { return launches_.stream; }
  const Blas& blas() const override {
    if (!products().blas) throw std::runtime_error("cuBLAS has not been looked for");
    return *products().blas;
  }

  const char* target() const override { return "CUDA"; }
  std::span<const DeviceCell> cells(StorageType arrays, bool chooses) const override {
    return chooses ? chosen_cells(arrays) : fixed_cells(arrays);
  }

  std::shared_ptr<char> take(std::size_t bytes) override {
    if (bytes == 0) return nullptr;
    void* memory = nullptr;
    require(cudaMallocAsync(&memory, bytes, handle()));
    return {static_cast<char*>(memory), [this](char* done) {
              const OnDevice there(device_);
              cudaFreeAsync(done, handle());
            }};
  }
  std::shared_ptr<char> keep(std::size_t bytes) override {
    if (bytes == 0) return nullptr;
    void* memory = nullptr;
    require(cudaMalloc(&memory, bytes));
    return {static_cast<char*>(memory), [this](char* done) {
              const OnDevice there(device_);
              cudaFree(done);
            }};
  }
  void copy_in(const void* from, std::size_t bytes, void* to) override {
    if (bytes == 0) return;
    if (is_captured(handle())) refuse_captured_copy();
    // From memory that is not pinned: read before this returns.
    require(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, handle()));
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
    rnnfast::draw_mask(launches_, scalar, mask, count, to);
  }
  void put(ScalarType scalar, double value, const index* places, index count, void* to) override {
    rnnfast::put(launches_, scalar, value, places, count, to);
  }

  void wait_for(std::uintptr_t other) override { Event(handle_of(other)).hold_up(handle()); }
  void hold_up(std::uintptr_t other) override { Event(handle()).hold_up(handle_of(other)); }
  void wait() override { require(cudaStreamSynchronize(handle())); }

 private:
  void enter() override {
    on_device_.emplace(device_);
    // What another's call has left behind is not this one's; what stays ends all calls.
    cudaGetLastError();
    try {
      require(cudaGetLastError());
    } catch (...) {
      on_device_.reset();
      throw;
    }
  }
  void leave() noexcept override { on_device_.reset(); }

  int device_;
  Launches launches_;
  Elements<Launches> elements_;
  std::optional<OnDevice> on_device_;
};

}  // namespace

DriverFacts driver_facts() {
  DriverFacts facts = {};
  cudaRuntimeGetVersion(&facts.runtime);
  cudaDriverGetVersion(&facts.driver);
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    cudaGetLastError();
    facts.missing =
        facts.driver ? cudaGetErrorString(status) : "no driver of NVIDIA's is installed";
  }
  return facts;
}

std::vector<DeviceFacts> device_facts() {
  std::vector<DeviceFacts> found;
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    cudaGetLastError();
    return found;
  }
  for (int device = 0; device < count; ++device) {
    cudaDeviceProp properties;
    require(cudaGetDeviceProperties(&properties, device));
    found.push_back(
        {properties.name, properties.major, properties.minor, properties.totalGlobalMem});
  }
  return found;
}

int device_of(const void* address) {
  cudaPointerAttributes attributes;
  require(cudaPointerGetAttributes(&attributes, address));
  if (attributes.type == cudaMemoryTypeUnregistered || attributes.type == cudaMemoryTypeHost) {
    throw std::runtime_error("its address is not a device's");
  }
  return attributes.device;
}

DeviceStream& device_stream(int device, std::uintptr_t stream) {
  using Key = std::tuple<int, std::uintptr_t, std::thread::id>;
  static std::mutex alone;
  static auto& all = *new std::map<Key, GpuDoorStream>;  // outlives whatever ends the process
  constexpr std::uintptr_t of_this_thread = 2;
  const auto thread = stream == of_this_thread ? std::this_thread::get_id() : std::thread::id();
  const std::lock_guard locked(alone);
  return all.try_emplace({device, stream, thread}, device, stream).first->second;
}

std::string product_library(const std::vector<std::string>& libraries) {
  Products& found = products();
  const std::lock_guard locked(found.alone);
  if (!found.blas) {
    const Blas blas = load_blas(libraries);
    Dl_info where = {};
    dladdr(reinterpret_cast<const void*>(blas.gemm), &where);
    found.library = where.dli_fname ? where.dli_fname : "cuBLAS";
    found.blas = blas;
  }
  return found.library;
}

}  // namespace rnnfast
