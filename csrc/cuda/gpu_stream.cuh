// A stream of a GPU as the general driver asks for one (cuda/general/device.hpp): kernels and
// products in the stream's order, graphs of passes that come again (cuda/recordings.hpp), and
// memory for one pass after the other. There is one object for each stream, which keeps
//
//   memory of passes    as much as the largest has needed, so that addresses repeat from call to
//                       call, which graphs need, and nothing is asked for in between; it is given
//                       back, in the stream's order, when a pass needs more, or somebody asks
//   memory of cuBLAS
//   graphs              of addresses in that memory: given back with it
//
// Where the stream is being captured, by PyTorch or XLA, a pass goes into that graph launch by
// launch, with memory that is taken and given back there: no graph of somebody else's holds
// addresses of ours.
#pragma once

#include "base/arena.hpp"
#include "cuda/blas.hpp"
#include "cuda/gpu_graph.cuh"
#include "cuda/gpu_launch.cuh"
#include "cuda/gpu_resident.cuh"
#include "cuda/recordings.hpp"

namespace rnnfast {
namespace {

/// Memory in a stream's order.
class StreamMemory {
 public:
  StreamMemory() = default;
  StreamMemory(std::size_t bytes, cudaStream_t stream) : bytes_(bytes), stream_(stream) {
    void* data = nullptr;
    require(cudaMallocAsync(&data, bytes, stream));
    data_ = static_cast<char*>(data);
  }
  StreamMemory(StreamMemory&& other) noexcept { *this = std::move(other); }
  StreamMemory& operator=(StreamMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(stream_, other.stream_);
    return *this;
  }
  ~StreamMemory() {
    if (data_) cudaFreeAsync(data_, stream_);
  }

  char* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  char* data_ = nullptr;
  std::size_t bytes_ = 0;
  cudaStream_t stream_ = nullptr;
};

/// cuBLAS, on one stream at a time.
class BlasOnStream {
 public:
  explicit BlasOnStream(const Blas& blas) : blas_(blas) {
    require("cublasCreate", blas.create(&handle_));
  }
  BlasOnStream(const BlasOnStream&) = delete;
  BlasOnStream& operator=(const BlasOnStream&) = delete;
  ~BlasOnStream() { blas_.destroy(handle_); }

  void go_to(cudaStream_t stream, const StreamMemory& workspace) {
    require("cublasSetStream", blas_.set_stream(handle_, stream));
    // Forgotten with every change of the stream.
    require("cublasSetWorkspace",
            blas_.set_workspace(handle_, workspace.data(), workspace.bytes()));
  }

  template <class Stored>
  void multiply(const Product<Stored>& of) {
    require("cublasGemmEx", blas::multiply(blas_, handle_, of));
  }

 private:
  static void require(const char* what, int status) {
    if (status == 0) return;
    constexpr int not_allocated = 3;
    if (status == not_allocated) throw std::bad_alloc();
    throw std::runtime_error(std::string(what) + " failed with status " + std::to_string(status));
  }

  const Blas& blas_;
  void* handle_ = nullptr;
};

class GpuStream {
 public:
  using Thread = GpuThread;

  /// Of the thread's device.
  GpuStream(cudaStream_t stream, const Blas& blas)
      : stream_(stream), launches_to_(stream), chip_(chip_of_device()), blas_(blas) {}
  GpuStream(const GpuStream&) = delete;
  GpuStream& operator=(const GpuStream&) = delete;

  int threads() const { return gpu_threads; }
  const Chip& chip() const { return chip_; }

  template <class Kernel>
  void run(index blocks, index shared_bytes, const Kernel& kernel) {
    run_kernel<Kernel><<<static_cast<unsigned>(blocks), gpu_threads,
                         static_cast<std::size_t>(shared_bytes), launches_to_>>>(kernel);
    require(cudaPeekAtLastError());
  }

  template <class Kernel>
  bool runs_together(const ResidentLaunch& as) const {
    return has_room<Kernel>(as, chip_);
  }
  template <class Kernel>
  void run_together(const ResidentLaunch& as, const Kernel& kernel) {
    launch_together(launches_to_, as, kernel);
  }

  template <class Stored>
  void multiply(const Product<Stored>& of) {
    if (of.rows > 0) blas_.multiply(of);
  }

  template <class Work, class Body>
  void pass(Work& work, const CallKey& key, Body&& body) {
    if (is_captured(stream_)) return captured_pass(work, body);
    reserve(measure(work));
    place_in(memory_.data(), work);
    go_to(stream_, blas_memory_);
    recordings_.run(key, *this, body);
  }

  /// Memory of passes and graphs, once all that was launched has run.
  void give_back() {
    recordings_.forget();
    memory_ = {};
    blas_memory_ = {};
  }

  std::size_t graphs() const { return recordings_.graphs(); }

  /// As a pass asks for them (cuda/recordings.hpp).
  template <class Body>
  GpuGraph record(Body&& body) {
    struct Back {
      GpuStream& of;
      ~Back() { of.go_to(of.stream_, of.blas_memory_); }
    } back = {*this};
    return recorder_.record([&](cudaStream_t stream) {
      go_to(stream, blas_memory_);
      body();
    });
  }
  void play(const GpuGraph& graph) { graph.play(stream_); }

 private:
  void reserve(std::size_t bytes) {
    if (!blas_memory_.data()) blas_memory_ = StreamMemory(blas_workspace_bytes, stream_);
    if (bytes <= memory_.bytes()) return;
    recordings_.forget();
    memory_ = {};
    memory_ = StreamMemory(bytes, stream_);
  }

  void go_to(cudaStream_t stream, const StreamMemory& of_blas) {
    launches_to_ = stream;
    blas_.go_to(stream, of_blas);
  }

  template <class Work, class Body>
  void captured_pass(Work& work, Body&& body) {
    const StreamMemory memory(measure(work), stream_);
    const StreamMemory of_blas(blas_workspace_bytes, stream_);
    place_in(memory.data(), work);
    go_to(stream_, of_blas);
    body();
  }

  cudaStream_t stream_;
  cudaStream_t launches_to_;
  const Chip chip_;
  BlasOnStream blas_;
  StreamMemory memory_;
  StreamMemory blas_memory_;
  RecordingStream recorder_;
  Recordings<GpuGraph> recordings_;
};

}  // namespace
}  // namespace rnnfast
