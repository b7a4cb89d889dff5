// The fingerprint: whatever changes, by however little, it is another one; and one of the same
// memory is the same, whoever reads it.
#include <cstring>
#include <set>
#include <vector>

#include "base/fingerprint.hpp"
#include "base/threads.hpp"
#include "check.hpp"

namespace rnnfast {
namespace {

std::vector<float> numbers(std::size_t count) {
  std::vector<float> made(count);
  for (std::size_t i = 0; i < count; ++i) made[i] = static_cast<float>(i % 1000) - 499.5F;
  return made;
}

Memory memory_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

TEST(every_bit_counts) {
  for (const std::size_t bytes : {1U, 7U, 8U, 63U, 64U, 65U, 200U}) {
    std::vector<char> memory(bytes, 'a');
    const std::uint64_t before = fingerprint({memory.data(), bytes});
    for (std::size_t bit = 0; bit < 8 * bytes; ++bit) {
      memory[bit / 8] = static_cast<char>(memory[bit / 8] ^ (1 << bit % 8));
      CHECK(fingerprint({memory.data(), bytes}) != before, "bit %zu of %zu bytes", bit, bytes);
      memory[bit / 8] = 'a';
    }
  }
}

TEST(two_signs_do_not_cancel) {
  std::vector<float> values = numbers(64);
  std::set<std::uint64_t> seen;
  std::size_t changes = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = i; j < values.size(); ++j, ++changes) {
      values[i] = -values[i];
      values[j] = -values[j];  // twice the same: none
      seen.insert(fingerprint(memory_of(values)));
      values[i] = -values[i];
      values[j] = -values[j];
    }
  }
  CHECK(seen.size() == changes - values.size() + 1, "%zu fingerprints of %zu pairs of signs",
        seen.size(), changes);
}

TEST(what_has_changed_places_is_noticed) {
  const std::vector<float> values = numbers(999);
  for (const std::size_t apart : {1U, 2U, 3U, 16U, 32U, 500U}) {  // in a word, words, lanes, rows
    std::vector<float> exchanged = values;
    std::swap(exchanged[8], exchanged[8 + apart]);
    CHECK(fingerprint(memory_of(exchanged)) != fingerprint(memory_of(values)), "%zu apart", apart);
  }
}

TEST(zeros_count) {
  const std::vector<char> zeros(300, 0);
  std::set<std::uint64_t> seen;
  for (std::size_t bytes = 0; bytes <= zeros.size(); ++bytes) {
    seen.insert(fingerprint({zeros.data(), bytes}));
  }
  CHECK(seen.size() == zeros.size() + 1, "%zu of %zu", seen.size(), zeros.size() + 1);
}

TEST(threads_read_the_same) {
  const int before = chosen_threads();
  std::vector<float> large = numbers(3 * fingerprint_block / sizeof(float) + 5);
  const std::vector<float> small = numbers(10);
  const std::vector<Memory> all = {memory_of(small), memory_of(large)};
  choose_threads(1);
  const std::uint64_t alone = fingerprint(all);
  choose_threads(available_threads());
  for (int i = 0; i < 20; ++i) CHECK(fingerprint(all) == alone, "by %d threads", default_threads());
  large.back() = 0;
  CHECK(fingerprint(all) != alone, "the last block was not read");
  choose_threads(before);
}

}  // namespace
}  // namespace rnnfast
