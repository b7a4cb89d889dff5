// Samples of arrays: all of a small one counts; of a large one what is written over as a whole.
#include <algorithm>
#include <vector>

#include "base/samples.hpp"
#include "check.hpp"

namespace rnnfast {
namespace {

constexpr std::size_t small = 4096;

Rows one_row(const std::vector<char>& memory) { return {memory.data(), memory.size()}; }

TEST(every_byte_of_a_small_array_counts) {
  for (const std::size_t bytes : {1U, 63U, 4095U, 4096U}) {
    std::vector<char> memory(bytes, 'a');
    const std::uint64_t before = sampled_fingerprint(one_row(memory));
    for (char& byte : memory) {
      byte = 'b';
      CHECK(sampled_fingerprint(one_row(memory)) != before, "byte %td of %zu",
            &byte - memory.data(), bytes);
      byte = 'a';
    }
  }
}

TEST(first_and_last_byte_of_a_large_array_count) {
  for (const std::size_t bytes : {small + 1, small + 63, 10 * small, 100 * small + 7}) {
    std::vector<char> memory(bytes, 'a');
    const std::uint64_t before = sampled_fingerprint(one_row(memory));
    for (const std::size_t at : {std::size_t{0}, bytes - 1}) {
      memory[at] = 'b';
      CHECK(sampled_fingerprint(one_row(memory)) != before, "byte %zu of %zu", at, bytes);
      memory[at] = 'a';
    }
  }
}

TEST(any_stretch_of_a_thirtieth_of_a_large_array_counts) {
  std::vector<char> memory(64 * small, 'a');
  const std::uint64_t before = sampled_fingerprint(one_row(memory));
  const std::size_t stretch = memory.size() / 30;
  for (std::size_t at = 0; at + stretch <= memory.size(); at += stretch / 3) {
    std::fill_n(memory.begin() + static_cast<index>(at), stretch, 'b');
    CHECK(sampled_fingerprint(one_row(memory)) != before, "from byte %zu", at);
    std::fill_n(memory.begin() + static_cast<index>(at), stretch, 'a');
  }
}

TEST(rows_are_what_lies_in_one_piece_and_nothing_between_them) {
  for (const std::size_t length : {1U, 5U, 64U, 500U}) {
    const std::size_t apart = 2 * length;
    const std::size_t steps = 7 * small / (3 * length) + 1;
    std::vector<char> memory(steps * 3 * apart, 'a');
    const Rows rows = {memory.data(),
                       length,
                       {3, steps, 1},
                       {static_cast<index>(apart), static_cast<index>(3 * apart), 0}};
    const std::vector<char> dense(steps * 3 * length, 'a');
    const std::uint64_t before = sampled_fingerprint(rows);
    CHECK(before == sampled_fingerprint(one_row(dense)), "rows of %zu bytes", length);
    for (std::size_t i = 0; i < memory.size(); ++i) {
      if (i % apart >= length) memory[i] = 'b';
    }
    CHECK(sampled_fingerprint(rows) == before, "what lies between rows of %zu bytes", length);
    memory[memory.size() - apart + length - 1] = 'b';
    CHECK(sampled_fingerprint(rows) != before, "the last of rows of %zu bytes", length);
  }
}

TEST(nothing_is_read_of_nothing) {
  CHECK(sampled_fingerprint({}) == sampled_fingerprint({nullptr, 4, {0, 3, 1}, {8, 8, 0}}),
        "arrays without elements");
}

}  // namespace
}  // namespace rnnfast
