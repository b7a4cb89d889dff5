// Gradients of weights of each sequence, emulated: however steps are cut into blocks, and all of
// them together those of the batch, which are compared with the CPU's elsewhere.
#define RNNFAST_ONE_LANE

#include "../cuda/way_checks.hpp"
#include "emulation/stream.hpp"

namespace rnnfast {
namespace {

using emulation::EmulatedStream;
using Numbers = std::vector<float>;

/// Gradients of weights by a plan of blocks of so many steps; (B, ...) each where `of_sequences`.
template <class Cell>
std::vector<Numbers> gradients_of_weights(Sequences<float>& of, index block_steps,
                                          bool of_sequences) {
  EmulatedStream::Device device;
  EmulatedStream stream(device);
  OnDevice<EmulatedStream, float> there(device, of);
  there.backward.out.of_sequences = of_sequences;
  const auto owners = static_cast<std::size_t>(of_sequences ? of.dims.rows : 1);
  for (int i = 0; i < weight_count; ++i) {
    const std::size_t count = owners * of.weights[i].size();
    if (count) there.backward.out.weights.arrays[i] = device.reserve<float>("d weights", count);
  }
  there.template run<Cell>(stream, {Kept::all, block_steps, of.dims.steps, false});
  std::vector<Numbers> found;
  for (int i = 0; i < weight_count; ++i) {
    const std::size_t count = owners * of.weights[i].size();
    const float* const array = there.backward.out.weights.arrays[i];
    if (count) CHECK(device.unwritten(array, count) == 0, "%s: not all", of.cell.name());
    found.push_back(count ? device.numbers(array, count) : Numbers());
  }
  return found;
}

bool are_close(const Numbers& a, const Numbers& b) {
  bool close = a.size() == b.size();
  for (std::size_t i = 0; close && i < a.size(); ++i) close = std::fabs(a[i] - b[i]) < 1e-4f;
  return close;
}

Numbers together(const Numbers& each, std::size_t owners) {
  const std::size_t count = each.size() / owners;
  Numbers sum(count);
  for (std::size_t i = 0; i < each.size(); ++i) sum[i % count] += each[i];
  return sum;
}

template <class Cell>
void check_sums(const char* name, const Dims& dims, bool with_lengths) {
  Sequences<float> of(CellSpec(name), dims);
  if (with_lengths) add_lengths(of);
  const std::vector<Numbers> at_once = gradients_of_weights<Cell>(of, dims.steps, true);
  const std::vector<Numbers> in_blocks = gradients_of_weights<Cell>(of, 2, true);
  const std::vector<Numbers> of_batch = gradients_of_weights<Cell>(of, 2, false);
  for (std::size_t i = 0; i < at_once.size(); ++i) {
    CHECK(are_close(at_once[i], in_blocks[i]), "%s %d: other blocks", name, static_cast<int>(i));
    CHECK(are_close(together(in_blocks[i], static_cast<std::size_t>(dims.rows)), of_batch[i]),
          "%s %d: not those of the batch", name, static_cast<int>(i));
  }
}

TEST(gradients_of_each_sequence_whatever_blocks_are) {
  for (const bool with_lengths : {false, true}) {
    check_sums<Lstm<Usual, Forget::own>>("lstm", small, with_lengths);
    check_sums<GruResetBefore<Usual>>("gru_reset_before", small, with_lengths);
    check_sums<LstmNorm<Usual>>("lstm_norm", small, with_lengths);
  }
  Dims projected = small;
  projected.projection = 2;
  check_sums<Lstm<Usual, Forget::own>>("lstm", projected, true);
}

}  // namespace
}  // namespace rnnfast
