// Whole sequences on a GPU, step by step and by persistent kernels; PASS_STORED says of which type
// arrays are.
#define RNNFAST_ONE_LANE

#include "cuda/gpu_stream.cuh"
#include "gpu_device.cuh"
#include "persistent_checks.hpp"

namespace rnnfast {
namespace {

const Blas& blas() {
  static const Blas found = load_blas();
  return found;
}

/// The default stream, for one test after the other: cuBLAS takes long to begin. Of a chip on which
/// nothing is persistent.
class DefaultStream {
 public:
  using Device = GpuDevice;
  using Thread = GpuThread;

  explicit DefaultStream(GpuDevice&) { stream().give_back(); }

  int threads() const { return stream().threads(); }
  Chip chip() const { return {}; }
  template <class Kernel>
  bool runs_together(const ResidentLaunch& as) const {
    return stream().runs_together<Kernel>(as);
  }
  template <class Kernel>
  void run_together(const ResidentLaunch& as, const Kernel& kernel) {
    stream().run_together(as, kernel);
  }
  template <class Kernel>
  void run(index blocks, index shared_bytes, const Kernel& kernel) {
    stream().run(blocks, shared_bytes, kernel);
  }
  template <class Stored>
  void multiply(const Product<Stored>& of) {
    stream().multiply(of);
  }
  template <class Work, class Body>
  void pass(Work& work, const CallKey& key, Body&& body) {
    stream().pass(work, key, body);
  }
  std::size_t graphs() const { return stream().graphs(); }

 protected:
  static GpuStream& stream() {
    static GpuStream on_default(nullptr, blas());
    return on_default;
  }
};

/// With the chip that there is.
struct PersistentStream : DefaultStream {
  using DefaultStream::DefaultStream;
  const Chip& chip() const { return stream().chip(); }
};

TEST(the_general_driver_gives_what_the_cpu_gives) { check_all_cells<DefaultStream, PASS_STORED>(); }

TEST(the_general_driver_with_chosen_activations) { check_all_chosen<DefaultStream, PASS_STORED>(); }

TEST(whatever_is_kept_the_bits_are_the_same) {
  check_plans_of_all_cells<DefaultStream, PASS_STORED>();
}

TEST(graphs_of_passes_give_the_same_bits) {
  check_graphs<DefaultStream, PASS_STORED, Lstm<Usual, Forget::own>>(CellSpec("lstm"));
  check_graphs<DefaultStream, PASS_STORED, GruResetBefore<Usual>>(CellSpec("gru_reset_before"));
  check_graphs<DefaultStream, PASS_STORED, LstmNorm<Usual>>(CellSpec("lstm_norm"));
}

TEST(persistent_kernels_give_what_the_cpu_gives) {
  check_cell<PersistentStream, PASS_STORED, Rnn<Fixed<Tanh>>>("rnn_tanh");
  check_cell<PersistentStream, PASS_STORED, Gru<Usual>>("gru");
  check_ragged<PersistentStream, PASS_STORED, GruResetBefore<Usual>>("gru_reset_before",
                                                                     {9, 21, 3, 70});
  check_ragged<PersistentStream, PASS_STORED, Lstm<Usual, Forget::own>>("lstm", {9, 77, 3, 300});
}

TEST(persistent_launches_are_replayed_from_graphs) {
  Sequences<Reference<PASS_STORED>> of(CellSpec("lstm"), small);
  add_lengths(of);
  check_graphs_of<PersistentStream, PASS_STORED, Lstm<Usual, Forget::own>>(of);
}

/// A stream as PyTorch captures them.
struct CapturedStream {
  cudaStream_t stream;
  cudaGraphExec_t graph = nullptr;

  CapturedStream() { must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking)); }
  ~CapturedStream() {
    if (graph) must(cudaGraphExecDestroy(graph));
    must(cudaStreamDestroy(stream));
  }

  template <class Body>
  void capture(Body&& body) {
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    body();
    cudaGraph_t made;
    must(cudaStreamEndCapture(stream, &made));
    must(cudaGraphInstantiate(&graph, made, 0));
    must(cudaGraphDestroy(made));
  }
  void play() {
    must(cudaGraphLaunch(graph, stream));
    must(cudaStreamSynchronize(stream));
  }
};

struct OwnStream : GpuStream {
  using Device = GpuDevice;
  explicit OwnStream(cudaStream_t stream) : GpuStream(stream, blas()) {}
};

TEST(passes_go_into_graphs_of_somebody_elses) {
  using Cell = Lstm<Usual, Forget::own>;
  Sequences<Reference<PASS_STORED>> of(CellSpec("lstm"), small);
  add_lengths(of);
  const GeneralPlan plan = {Kept::checkpoints, 2, 4, false};
  CapturedStream captured;
  GpuDevice device;
  OwnStream stream(captured.stream);
  OnDevice<OwnStream, PASS_STORED> there(device, of);
  const auto place = there.place<Cell>(plan);
  there.run(stream, place);  // or kernels would be loaded while they are captured
  captured.capture([&] { there.run(stream, place); });
  for (int time = 0; time < 2; ++time) {
    for (auto& number : of.x) number = -number / 2;
    there.write_again();
    captured.play();
    const Run<PersistentStream, Cell, PASS_STORED> alone(of, plan);
    CHECK(same_bits(there.results(), alone.results), "time %d", time);
    CHECK(same_bits(there.gradients(), alone.gradients), "time %d", time);
  }
  CHECK(stream.graphs() == 0, "recorded what was captured");
}

}  // namespace
}  // namespace rnnfast
