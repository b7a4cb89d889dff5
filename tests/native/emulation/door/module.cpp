// `_cuda` for an emulated GPU, and what tests make that do.
#define RNNFAST_ONE_LANE

#include <pybind11/stl.h>

#include <cstring>

#include "bindings/cuda/register.hpp"
#include "gpu.hpp"
#include "stream.hpp"

namespace rnnfast {
namespace {

namespace py = pybind11;
using emulation::gpu;

/// Memory of a caller's array, and its bytes.
class CallersMemory {
 public:
  explicit CallersMemory(const py::bytes& numbers) {
    const std::string_view from = numbers;
    bytes_ = from.size();
    held_ = gpu().take(bytes_);
    if (bytes_) gpu().write(from.data(), bytes_, held_.get());
  }
  /// Of which nothing is known.
  explicit CallersMemory(std::size_t bytes) : held_(gpu().take(bytes)), bytes_(bytes) {}

  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(held_.get()); }

 private:
  std::shared_ptr<char> held_;
  std::size_t bytes_;
};

/// All that a stream is given while it is captured.
class Capture {
 public:
  Capture(int device, std::uintptr_t stream)
      : stream_(static_cast<emulation::StreamOfGpu&>(device_stream(device, stream))) {
    stream_.begin_capture(graph_);
  }
  void end() { stream_.end_capture(); }
  void replay() {
    const DeviceStream::Turn turn(stream_);
    stream_.passes.play(graph_.launches);
  }
  std::size_t launches() const { return graph_.launches.size(); }

 private:
  emulation::StreamOfGpu& stream_;
  emulation::CapturedGraph graph_;
};

py::bytes numbers_at(std::uintptr_t address, std::size_t bytes) {
  return {reinterpret_cast<const char*>(address), bytes};
}

}  // namespace
}  // namespace rnnfast

PYBIND11_MODULE(_cuda, module) {
  using namespace rnnfast;
  register_devices(module);
  register_capsules(module);
  register_queue(module);
  py::module_ emulation = module.def_submodule("emulation", "What tests make the GPU do.");
  py::class_<CallersMemory>(emulation, "CallersMemory")
      .def(py::init<const py::bytes&>())
      .def_static("reserved", [](std::size_t bytes) { return CallersMemory(bytes); })
      .def_property_readonly("address", &CallersMemory::address);
  py::class_<Capture>(emulation, "Capture")
      .def(py::init<int, std::uintptr_t>())
      .def("end", &Capture::end)
      .def("replay", &Capture::replay)
      .def_property_readonly("launches", &Capture::launches);
  emulation.def("numbers_at", &numbers_at);
  emulation.def("refuse_beyond", [](std::size_t more) { gpu().limit = gpu().taken + more; });
  emulation.def("refuse_nothing", [] { gpu().limit = std::size_t(-1); });
  emulation.def("taken", [] { return gpu().taken; });
  emulation.def("fail", [](const std::string& error) { gpu().pending = error; });
  emulation.def("waits", [] { return std::exchange(gpu().waits, {}); });
}
