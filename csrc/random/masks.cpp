#include "random/masks.hpp"

#include "base/team.hpp"
#include "base/view.hpp"

namespace rnnfast {
namespace {

constexpr index blocks_at_once = 64;               // their numbers stay in L1
constexpr index blocks_for_another_thread = 1024;  // tens of microseconds
constexpr index products_for_another_thread = 1 << 16;
constexpr index products_a_block = 256;  // what drawing one takes as long as

void fill(const RandomStream& stream, Span blocks, std::uint16_t* numbers) {
  for (index block = blocks.begin; block < blocks.end; ++block) {
    std::uint64_t words[words_per_block];
    philox(stream, static_cast<std::uint64_t>(block) + 1, words);
    for (const std::uint64_t word : words) {
      for (int i = 0; i < numbers_per_word; ++i) {
        *numbers++ = quarter(word, i);
      }
    }
  }
}

}  // namespace

template <class T>
void draw_mask(const RandomStream& stream, std::uint32_t level, T below, T above, T* mask,
               index count, int threads) {
  const index blocks = ceil_div(count, numbers_per_block);
  const index useful = larger(1, blocks / blocks_for_another_thread);
  team(static_cast<int>(smaller(threads, useful)), [&](Worker& worker) {
    worker.stage([&](const Share& own) {
      const Span mine = own.of(blocks);
      for (index begin = mine.begin; begin < mine.end; begin += blocks_at_once) {
        std::uint16_t numbers[blocks_at_once * numbers_per_block];
        const index end = smaller(begin + blocks_at_once, mine.end);
        fill(stream, {begin, end}, numbers);
        T* const to = mask + begin * numbers_per_block;
        const index size = smaller(end * numbers_per_block, count) - begin * numbers_per_block;
        for (index i = 0; i < size; ++i) to[i] = numbers[i] < level ? below : above;
        own.worked(products_a_block * blocks_at_once);
      }
    });
  });
}

template <class T>
void apply_mask(const Dims& dims, Sequence<const T> x, Sequence<const T> mask, T* to, int threads) {
  const index rows = dims.steps * dims.rows;
  const index useful = larger(1, rows * dims.inputs / products_for_another_thread);
  team(static_cast<int>(smaller(threads, useful)), [&](Worker& worker) {
    worker.stage([&](const Share& own) {
      const Span mine = own.of(rows);
      for (index row = mine.begin; row < mine.end; ++row) {
        const index step = row / dims.rows;
        const index b = row - step * dims.rows;
        const T* const from = x.data + step * x.step_stride + b * x.row_stride;
        const T* const factor = mask.data + step * mask.step_stride + b * mask.row_stride;
        T* const product = to + row * dims.inputs;
        for (index i = 0; i < dims.inputs; ++i) product[i] = from[i] * factor[i];
        own.worked(dims.inputs);
      }
    });
  });
}

template void apply_mask(const Dims&, Sequence<const float>, Sequence<const float>, float*, int);
template void apply_mask(const Dims&, Sequence<const double>, Sequence<const double>, double*, int);
template void draw_mask(const RandomStream&, std::uint32_t, float, float, float*, index, int);
template void draw_mask(const RandomStream&, std::uint32_t, double, double, double*, index, int);

}  // namespace rnnfast
