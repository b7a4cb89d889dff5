// Passes timed, step by step and by the persistent driver that the plan chooses: inference, a
// forward pass that saves and its backward pass, the same from checkpoints; launch by launch, and
// from a graph. A line of CSV for each: driver, way, cell and sizes, type, milliseconds of the
// device's time, of the caller's. What is predicted, bench/NOTES.md says.
#include <chrono>
#include <cstdlib>
#include <vector>

#include "cells/registry.hpp"
#include "cuda/general/passes.hpp"
#include "cuda/gpu_stream.cuh"

namespace rnnfast {
namespace {

template <class Stored>
constexpr const char* type_name = "float32";
template <>
constexpr const char* type_name<Bfloat16> = "bfloat16";
template <>
constexpr const char* type_name<Float16> = "float16";

/// On a chip on which nothing is persistent.
struct StepByStep : GpuStream {
  using GpuStream::GpuStream;
  Chip chip() const { return {}; }
};

enum class Lengths { all, ragged };

/// From one step to all, by rank; none where all take all steps.
std::vector<SequenceRow> rows_of(const Dims& dims, Lengths lengths) {
  std::vector<SequenceRow> rows;
  if (lengths == Lengths::all) return rows;
  for (index b = 0; b < dims.rows; ++b) {
    rows.push_back({b, b, 0, 1 + (dims.rows - 1 - b) * (dims.steps - 1) / (dims.rows - 1)});
  }
  return rows;
}

/// Memory of this program's, to the end.
struct Memory {
  template <class N>
  N* take(index count) const {
    void* array = nullptr;
    require(cudaMalloc(&array, static_cast<std::size_t>(count) * sizeof(N)));
    require(cudaMemset(array, 0, static_cast<std::size_t>(count) * sizeof(N)));
    return static_cast<N*>(array);
  }
};

struct Milliseconds {
  double of_device;
  double of_caller;
};

/// Medians of body(time), after three that do not count.
template <class Body>
Milliseconds timed(cudaStream_t stream, Body&& body) {
  using Clock = std::chrono::steady_clock;
  cudaEvent_t begin, end;
  require(cudaEventCreate(&begin));
  require(cudaEventCreate(&end));
  std::vector<double> device, caller;
  for (int time = -3; time < 11; ++time) {
    require(cudaStreamSynchronize(stream));
    const auto before = Clock::now();
    require(cudaEventRecord(begin, stream));
    body(time + 3);
    require(cudaEventRecord(end, stream));
    const std::chrono::duration<double, std::milli> spent = Clock::now() - before;
    require(cudaEventSynchronize(end));
    float ms = 0;
    require(cudaEventElapsedTime(&ms, begin, end));
    if (time < 0) continue;
    device.push_back(ms);
    caller.push_back(spent.count());
  }
  std::sort(device.begin(), device.end());
  std::sort(caller.begin(), caller.end());
  require(cudaEventDestroy(begin));
  require(cudaEventDestroy(end));
  return {device[device.size() / 2], caller[caller.size() / 2]};
}

template <class Stream, class Cell, class Stored>
void time_driver(const char* driver, const char* name, const Dims& dims, Lengths lengths,
                 const Blas& blas) {
  cudaStream_t own;
  require(cudaStreamCreateWithFlags(&own, cudaStreamNonBlocking));
  Stream stream(own, blas);
  const std::vector<SequenceRow> rows = rows_of(dims, lengths);
  const Memory memory;
  const index B = dims.rows, H = dims.units, I = dims.inputs, G = Cell::gates;
  WeightSet<Stored> weights;
  WeightSet<Stored> gradients;
  for (WeightSet<Stored>* const set : {&weights, &gradients}) {
    (*set)[WeightId::w_ih] = memory.take<Stored>(G * H * I);
    (*set)[WeightId::w_hh] = memory.take<Stored>(G * H * H);
    (*set)[WeightId::b_ih] = memory.take<Stored>(G * H);
    (*set)[WeightId::b_hh] = memory.take<Stored>(G * H);
  }
  WeightSet<const Stored> given;
  for (int i = 0; i < weight_count; ++i) given.arrays[i] = weights.arrays[i];
  PackedWeights<Cell, Stored> packed(dims);
  packed.place(memory);
  general_pack(stream, given, packed);
  const Sequence<const Stored> x = {memory.take<Stored>(dims.steps * B * I), B * I, I};
  const Sequence<const Stored> dy = {memory.take<Stored>(dims.steps * B * H), B * H, H};
  constexpr int more = 64;  // addresses of results, of which more than there are graphs
  Stored* const y = memory.take<Stored>(dims.steps * B * H + more);
  Stored* const dx = memory.take<Stored>(dims.steps * B * I + more);

  const auto time_way = [&](const char* way, Kept kept, bool and_back, bool from_graph) {
    GeneralTape<Cell, Stored> tape(dims, general_plan(dims, kept, false));
    void* kept_memory = nullptr;
    if (kept != Kept::nothing) {
      require(cudaMalloc(&kept_memory, measure(tape)));
      place_in(static_cast<char*>(kept_memory), tape);
    }
    const Milliseconds ms = timed(own, [&](int time) {
      // Of a call with other addresses there is no graph.
      const int at = from_graph ? 0 : time;
      ForwardCall<Stored> forward = {};
      forward.dims = dims;
      forward.x = x;
      forward.y = {y + at, B * H, H};
      forward.rows = rows.empty() ? nullptr : rows.data();
      general_forward(stream, forward, packed, tape);
      if (!and_back) return;
      BackwardCall<Stored> backward = {};
      backward.dims = dims;
      backward.x = x;
      backward.weights = given;
      backward.dy = dy;
      backward.out.x = {dx + at, B * I, I};
      backward.out.weights = gradients;
      backward.rows = forward.rows;
      general_backward(stream, backward, tape);
    });
    std::printf("%s,%s %s%s,%s%s T%d B%d I%d H%d,%s,%.3f,%.3f\n", driver, way,
                from_graph ? "from a graph" : "launch by launch", and_back ? " and back" : "", name,
                lengths == Lengths::ragged ? " ragged" : "", static_cast<int>(dims.steps),
                static_cast<int>(B), static_cast<int>(I), static_cast<int>(H), type_name<Stored>,
                ms.of_device, ms.of_caller);
    std::fflush(stdout);
    if (kept_memory) require(cudaFree(kept_memory));
  };
  for (const bool from_graph : {false, true}) {
    time_way("inference", Kept::nothing, false, from_graph);
    time_way("saving", Kept::all, false, from_graph);
    time_way("saving", Kept::all, true, from_graph);
    time_way("checkpoints", Kept::checkpoints, true, from_graph);
  }
}

template <class Cell, class Stored>
void time_cell(const char* name, const Dims& dims, const Blas& blas,
               Lengths lengths = Lengths::all) {
  time_driver<StepByStep, Cell, Stored>("step by step", name, dims, lengths, blas);
  time_driver<GpuStream, Cell, Stored>("as planned", name, dims, lengths, blas);
}

template <class Cell, class Stored>
void time_sizes(const char* name, const Blas& blas) {
  time_cell<Cell, Stored>(name, {1024, 16, 768, 768}, blas);
  time_cell<Cell, Stored>(name, {50, 64, 512, 512}, blas);
  time_cell<Cell, Stored>(name, {100, 1, 256, 256}, blas);
  time_cell<Cell, Stored>(name, {200, 32, 128, 128}, blas, Lengths::ragged);
}

template <class Stored>
void time_all(const Blas& blas) {
  time_sizes<Lstm<Usual, Forget::own>, Stored>("LSTM", blas);
  time_sizes<Gru<Usual>, Stored>("GRU", blas);
  time_sizes<Rnn<Fixed<Tanh>>, Stored>("RNN", blas);
  time_cell<GruResetBefore<Usual>, Stored>("GRU, reset before", {50, 64, 512, 512}, blas);
  time_driver<GpuStream, LstmNorm<Usual>, Stored>("as planned", "LSTM with layer norm",
                                                  {50, 64, 512, 512}, Lengths::all, blas);
}

}  // namespace
}  // namespace rnnfast

int main() {
  using namespace rnnfast;
  const Blas blas = load_blas();
  time_all<float>(blas);
  time_all<Bfloat16>(blas);
  time_all<Float16>(blas);
}
