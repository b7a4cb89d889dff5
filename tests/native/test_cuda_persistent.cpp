// Whole sequences by persistent kernels, emulated.
#define RNNFAST_ONE_LANE

#include "../cuda/way_checks.hpp"
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

template <class Stored, class Cell>
void check_cell(const char* name) {
  check_options<PersistentStream, Stored, Cell>(CellSpec(name));
}

TEST(persistent_kernels_give_what_the_cpu_gives) {
  check_cell<float, Rnn<Fixed<Tanh>>>("rnn_tanh");
  check_cell<float, Lstm<Usual, Forget::own>>("lstm");
  check_cell<float, Gru<Usual>>("gru");
  check_cell<float, GruResetBefore<Usual>>("gru_reset_before");
  check_cell<double, Lstm<Usual, Forget::own>>("lstm");
}

TEST(persistent_kernels_whose_operands_are_short) {
  check_cell<Float16, Lstm<Usual, Forget::own>>("lstm");
  check_cell<Bfloat16, GruResetBefore<Usual>>("gru_reset_before");
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
  check_graphs<PersistentStream, float, Lstm<Usual, Forget::own>>(CellSpec("lstm"));
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
