// Graphs of launches: recorded on a stream that nobody else knows, so that whatever others launch
// meanwhile goes on, and played on any.
#pragma once

#include <cuda_runtime.h>

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace rnnfast {
namespace {

/// Throws std::bad_alloc for refused memory, std::runtime_error for all else.
inline void require(cudaError_t status) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // not to be found again by the next call
  if (status == cudaErrorMemoryAllocation) throw std::bad_alloc();
  throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorName(status) + ", " +
                           cudaGetErrorString(status));
}

class GpuGraph {
 public:
  explicit GpuGraph(cudaGraph_t of) { require(cudaGraphInstantiate(&ready_, of, 0)); }
  GpuGraph(GpuGraph&& other) noexcept : ready_(std::exchange(other.ready_, nullptr)) {}
  GpuGraph& operator=(GpuGraph&& other) noexcept {
    std::swap(ready_, other.ready_);
    return *this;
  }
  /// One that still runs is let finish.
  ~GpuGraph() {
    if (ready_) cudaGraphExecDestroy(ready_);
  }

  void play(cudaStream_t stream) const { require(cudaGraphLaunch(ready_, stream)); }

 private:
  cudaGraphExec_t ready_ = nullptr;
};

/// Whether what is launched now goes into a graph of somebody else's.
inline bool is_captured(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  require(cudaStreamIsCapturing(stream, &status));
  return status != cudaStreamCaptureStatusNone;
}

class RecordingStream {
 public:
  RecordingStream() = default;
  RecordingStream(const RecordingStream&) = delete;
  RecordingStream& operator=(const RecordingStream&) = delete;
  ~RecordingStream() {
    if (stream_) cudaStreamDestroy(stream_);
  }

  /// Of what body(stream) launches there; nothing of it runs.
  template <class Body>
  GpuGraph record(Body&& body) {
    // One that does not wait for the legacy default stream, since nothing may wait while recorded.
    if (!stream_) require(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    // Other threads may do what they want meanwhile.
    require(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
    Captured captured = {stream_};
    body(stream_);
    return GpuGraph(captured.end());
  }

 private:
  /// Ends a capture, however it goes.
  struct Captured {
    cudaStream_t stream;
    bool ended = false;
    cudaGraph_t graph = nullptr;

    cudaGraph_t end() {
      ended = true;
      require(cudaStreamEndCapture(stream, &graph));
      return graph;
    }
    ~Captured() {
      if (!ended && cudaStreamEndCapture(stream, &graph) != cudaSuccess) cudaGetLastError();
      if (graph) cudaGraphDestroy(graph);
    }
  };

  cudaStream_t stream_ = nullptr;
};

}  // namespace
}  // namespace rnnfast
