// Whole sequences by persistent kernels, emulated.
#define RNNFAST_ONE_LANE

#include "../cuda/persistent_checks.hpp"
#include "emulation/stream.hpp"

namespace rnnfast {
namespace {

using emulation::EmulatedDevice;
using emulation::EmulatedStream;

/// Few and small multiprocessors: five units are shared by three blocks, the last of which has
/// fewer.
constexpr Chip three_blocks = {3, 90, 64, 32 << 10, true, 0};

struct PersistentStream : EmulatedStream {
  explicit PersistentStream(EmulatedDevice& device) : EmulatedStream(device, three_blocks) {}
};

TEST(persistent_kernels_give_what_the_cpu_gives) {
  check_cell<PersistentStream, float, Rnn<Fixed<Tanh>>>("rnn_tanh");
  check_cell<PersistentStream, float, Lstm<Usual, Forget::own>>("lstm");
  check_cell<PersistentStream, float, Gru<Usual>>("gru");
  check_cell<PersistentStream, float, GruResetBefore<Usual>>("gru_reset_before");
  check_cell<PersistentStream, double, Lstm<Usual, Forget::own>>("lstm");
}

TEST(persistent_kernels_whose_operands_are_short) {
  check_cell<PersistentStream, Float16, Lstm<Usual, Forget::own>>("lstm");
  check_cell<PersistentStream, Bfloat16, GruResetBefore<Usual>>("gru_reset_before");
}

/// Three blocks in each of two clusters, by nine rows.
constexpr Chip two_clusters = {6, 90, 96, 64 << 10, true, 3};
/// Of octets of units all but the last block's, and of numbers that no octet of a part begins with.
constexpr Dims by_octets = {3, 9, 2, 40};
constexpr Dims by_numbers = {3, 9, 2, 37};

struct ClusterStream : EmulatedStream {
  explicit ClusterStream(EmulatedDevice& device) : EmulatedStream(device, two_clusters) {}
};

template <class Stored, class Cell>
void check_in_clusters(const char* name, const Dims& dims) {
  EmulatedDevice device;
  const ClusterStream stream(device);
  CHECK((plan_forward<Cell, Stored>(stream, dims).driver == Driver::cluster), "%s", name);
  CHECK((plan_backward<Cell, Stored>(stream, dims).driver == Driver::cluster), "%s", name);
  Sequences<Reference<Stored>> of(CellSpec(name), dims);
  check_passes<ClusterStream, Stored, Cell>(of);
  of.spans = {0, 3, 0, 1, 1, 3, 0, 3, 2, 2, 0, 3, 0, 3, 0, 2, 1, 3};
  check_passes<ClusterStream, Stored, Cell>(of);
}

TEST(kernels_of_clusters_give_what_the_cpu_gives) {
  check_in_clusters<float, Lstm<Usual, Forget::own>>("lstm", by_octets);
  check_in_clusters<float, GruResetBefore<Usual>>("gru_reset_before", by_numbers);
  check_in_clusters<double, Gru<Usual>>("gru", by_numbers);
}

TEST(kernels_of_clusters_whose_operands_are_short) {
  check_in_clusters<Bfloat16, Lstm<Usual, Forget::own>>("lstm", by_octets);
  check_in_clusters<Float16, Lstm<Usual, Forget::own>>("lstm", by_numbers);
  check_in_clusters<Bfloat16, GruResetBefore<Usual>>("gru_reset_before", by_numbers);
  check_in_clusters<Float16, Rnn<Fixed<Tanh>>>("rnn_tanh", by_octets);
}

TEST(whatever_is_kept_persistent_kernels_give_the_same_bits) {
  check_plans_of<PersistentStream, float, Lstm<Usual, Forget::own>>(CellSpec("lstm"));
  check_plans_of<PersistentStream, float, GruResetBefore<Usual>>(CellSpec("gru_reset_before"));
}

TEST(persistent_launches_are_replayed_from_graphs) {
  Sequences<Reference<float>> of(CellSpec("lstm"), small);
  add_lengths(of);
  check_graphs_of<PersistentStream, float, Lstm<Usual, Forget::own>>(of);
}

/// Six blocks: whether groups of rows or shares of units, the sizes say.
struct SixBlocks : EmulatedStream {
  static constexpr Chip facts = {6, 90, 64, 32 << 10, true, 0};
  explicit SixBlocks(EmulatedDevice& device) : EmulatedStream(device, facts) {}
};
/// Of so little memory that rows come in chunks of eight.
struct LittleMemory : EmulatedStream {
  static constexpr Chip facts = {3, 90, 64, 2304, true, 0};
  explicit LittleMemory(EmulatedDevice& device) : EmulatedStream(device, facts) {}
};

TEST(rows_are_divided_into_groups_and_chunks) {
  check_ragged<SixBlocks, float, Lstm<Usual, Forget::own>>("lstm", {3, 19, 2, 5});
  check_ragged<SixBlocks, float, GruResetBefore<Usual>>("gru_reset_before", {3, 19, 2, 5});
  check_ragged<LittleMemory, float, Gru<Usual>>("gru", {3, 19, 2, 5});
}

TEST(sums_are_cut_into_pieces) {
  check_ragged<PersistentStream, float, Rnn<Fixed<Relu>>>("rnn_relu", {2, 3, 2, 70});
  check_ragged<PersistentStream, double, Lstm<Usual, Forget::own>>("lstm", {2, 1, 2, 33});
}

// --- Faults that are planted ---

/// Without the grid's barrier.
template <class Machine, class Stored>
struct NobodyMeets : GridExchange<Machine, Stored> {
  using GridExchange<Machine, Stored>::GridExchange;
  void meet(Machine&) const {}
};
/// With that of a block in its place.
template <class Machine, class Stored>
struct BlocksMeetThemselves : GridExchange<Machine, Stored> {
  using GridExchange<Machine, Stored>::GridExchange;
  void meet(Machine& m) const { m.sync(); }
};
/// Whose first block does not come.
template <class Machine, class Stored>
struct OneStaysAway : GridExchange<Machine, Stored> {
  using GridExchange<Machine, Stored>::GridExchange;
  void meet(Machine& m) const {
    if (m.block() > 0) m.sync_grid();
  }
};
/// Which multiplies what is being made.
template <class Machine, class Stored>
struct StepAhead : GridExchange<Machine, Stored> {
  using GridExchange<Machine, Stored>::GridExchange;
  index width;
  RNNFAST_BOTH StepAhead(Machine& m, int at, const Share& share, int width, index rows)
      : GridExchange<Machine, Stored>(m, at, share, width, rows), width(width) {}
  RowsInMemory<Stored> operand(Machine&, const RowsInMemory<Stored>& kept) const {
    return {kept.first + three_rows * width, kept.stride};
  }
  static constexpr index three_rows = 3;
};

/// Which multiplies the copy that is being written.
template <class Machine, class Stored>
struct OtherCopy : ClusterExchange<Machine, Stored> {
  using Base = ClusterExchange<Machine, Stored>;
  using Base::Base;
  auto operand(Machine& m, const RowsInMemory<Stored>& kept) const {
    auto found = Base::operand(m, kept);
    found.first = found.first ? 0 : found.at.numbers(eight_rows);
    return found;
  }
  static constexpr int eight_rows = 8;
};
/// A thread whose cluster meets once, and then no more.
struct MeetsOnce : emulation::EmulatedThread {
  bool has_met = false;
  explicit MeetsOnce(const EmulatedThread& of) : EmulatedThread(of) {}
  void sync_cluster() {
    has_met ? sync() : EmulatedThread::sync_cluster();
    has_met = true;
  }
};
/// Whose cluster never does.
struct MeetsNobody : emulation::EmulatedThread {
  explicit MeetsNobody(const EmulatedThread& of) : EmulatedThread(of) {}
  void sync_cluster() { sync(); }
};

/// What is wrong with three steps of three rows and five units, by some exchange.
template <template <class, class> class Exchange, class Thread = emulation::EmulatedThread>
std::vector<std::string> faults() {
  using Cell = Rnn<Fixed<Tanh>>;
  using Kernel = ResidentForward<Cell, float, LaneProduct, Exchange>;
  constexpr index T = 3, B = 3, H = 5;
  emulation::Memory memory;
  const auto numbers = [&](const char* name, index count) {
    return memory.copy(name, std::vector<float>(static_cast<std::size_t>(count), 0.25f));
  };
  ForwardSteps<Cell, float> of = {Cell{{}, Fixed<Tanh>(nullptr)},
                                  {B, H, 2, 3, 1, 8},
                                  {nullptr, nullptr, T, B},
                                  {0, T},
                                  {numbers("R", H * H)},
                                  numbers("slots", T * B * H),
                                  {numbers("h before", T * B * H), nullptr},
                                  {},
                                  {numbers("h after", B * H), nullptr},
                                  {numbers("h last", B * H), nullptr},
                                  {},
                                  {}};
  of.operand[0] = of.before.h;
  const int bytes = Kernel::template shared_bytes<emulation::EmulatedThread>(of.division, 64);
  return emulation::launch(memory, {3, 64, 3, bytes, 1}, [&](const emulation::EmulatedThread& m) {
    Thread thread(m);
    Kernel kernel(of);
    kernel(thread);
  });
}

bool has(const std::vector<std::string>& faults, const char* text) {
  return std::any_of(faults.begin(), faults.end(), [&](const std::string& fault) {
    return fault.find(text) != std::string::npos;
  });
}

TEST(an_exchange_that_does_not_hold_is_found) {
  CHECK(faults<GridExchange>().empty(), "%s", faults<GridExchange>().front().c_str());
  CHECK(has(faults<NobodyMeets>(), "race: h before"), "no barrier");
  CHECK(has(faults<BlocksMeetThemselves>(), "race: h before"), "a barrier of the block");
  CHECK(has(faults<OneStaysAway>(), "barrier"), "a block that does not come");
  CHECK(has(faults<StepAhead>(), "race: h before"), "the step's own h");
}

TEST(an_exchange_in_a_cluster_that_does_not_hold_is_found) {
  CHECK(faults<ClusterExchange>().empty(), "%s", faults<ClusterExchange>().front().c_str());
  CHECK(has(faults<OtherCopy>(), "race: shared memory"), "the copy that is written");
  CHECK(has(faults<ClusterExchange, MeetsOnce>(), "race: shared memory"), "no barrier");
  CHECK(has(faults<ClusterExchange, MeetsNobody>(), "a block that is not there"), "not begun");
}

// --- Which launches there are -------------------------------------------------------------------

using TestedCell = Lstm<Usual, Forget::own>;

/// Launches of persistent kernels in a pass forward and one back.
int launches(const Sequences<float>& of, const Chip& chip, const GeneralPlan& plan) {
  EmulatedDevice device;
  EmulatedStream stream(device, chip);
  OnDevice<EmulatedStream, float> there(device, of);
  there.run<TestedCell>(stream, plan);
  return stream.resident_launches();
}

TEST(one_launch_takes_all_steps_that_are_kept) {
  const Sequences<float> of(CellSpec("lstm"), small);
  // Forward a stretch; back a block, since of no more there are deltas.
  CHECK(launches(of, three_blocks, {Kept::nothing, 6, 6, false}) == 1, "inference");
  CHECK(launches(of, three_blocks, {Kept::all, 2, 6, false}) == 1 + 3, "all kept");
  CHECK(launches(of, three_blocks, {Kept::all, 6, 6, false}) == 1 + 1, "all kept, one block");
  CHECK(launches(of, three_blocks, {Kept::checkpoints, 2, 4, false}) == 2 + 2 + 3, "checkpoints");
}

TEST(what_persistent_kernels_do_not_know_goes_step_by_step) {
  const GeneralPlan plan = {Kept::all, 6, 6, false};
  Sequences<float> cut(CellSpec("lstm"), small);
  add_resets(cut);
  CHECK(launches(cut, three_blocks, plan) == 0, "resets");
  Sequences<float> masked(CellSpec("lstm"), small);
  masked.mask.assign(static_cast<std::size_t>(small.rows * small.units), 2);
  CHECK(launches(masked, three_blocks, {Kept::all, 6, 6, true}) == 0, "recurrent dropout");
  Dims projected = small;
  projected.projection = 2;
  CHECK(launches(Sequences<float>(CellSpec("lstm"), projected), three_blocks, plan) == 0,
        "a projection");
  Chip alone = three_blocks;
  alone.is_cooperative = false;
  CHECK(launches(Sequences<float>(CellSpec("lstm"), small), alone, plan) == 0, "no grid barrier");
}

}  // namespace
}  // namespace rnnfast
