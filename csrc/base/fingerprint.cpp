#include "base/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/team.hpp"
#include "base/threads.hpp"

namespace rnnfast {
namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);
constexpr std::size_t lanes = 8;  // in flight: a step takes five cycles, one may begin in each

constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio
// A multiplication carries a change upwards alone. What is highest in a word, a float's sign, its
// exponent and first digits, thus stays high, and then comes down to bits 15 to 0: those of the
// last digits of a number, in the next word of the lane. To cancel it, just these would have to
// change.
constexpr int distance = 16;

constexpr std::uint64_t step(std::uint64_t lane, std::uint64_t word) {
  return std::rotl((lane ^ word) * odd, distance);
}

std::uint64_t word_at(const char* data, std::size_t bytes = word_bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, data, bytes);
  return word;
}

std::vector<Memory> blocks_of(const std::vector<Memory>& all) {
  std::vector<Memory> blocks;
  for (const Memory& memory : all) {
    for (std::size_t at = 0; at < memory.bytes; at += fingerprint_block) {
      blocks.push_back({memory.data + at, std::min(fingerprint_block, memory.bytes - at)});
    }
  }
  return blocks;
}

}  // namespace

std::uint64_t fingerprint(const Memory& memory) {
  const char* at = memory.data;
  const char* const end = at + memory.bytes;
  const auto left = [&] { return static_cast<std::size_t>(end - at); };
  std::array<std::uint64_t, lanes> state;
  for (std::size_t i = 0; i < lanes; ++i) state[i] = step(0, i);
  for (; left() >= lanes * word_bytes; at += lanes * word_bytes) {
    for (std::size_t i = 0; i < lanes; ++i) state[i] = step(state[i], word_at(at + i * word_bytes));
  }
  std::uint64_t all = memory.bytes;
  for (; left() >= word_bytes; at += word_bytes) all = step(all, word_at(at));
  if (left() > 0) all = step(all, word_at(at, left()));
  for (const std::uint64_t lane : state) all = step(all, lane);
  return all;
}

std::uint64_t fingerprint(const std::vector<Memory>& all) {
  std::size_t bytes = 0;
  for (const Memory& memory : all) bytes += memory.bytes;
  std::uint64_t result = 0;
  if (bytes <= fingerprint_block) {
    for (const Memory& memory : all) result = step(result, fingerprint(memory));
    return result;
  }
  const std::vector<Memory> blocks = blocks_of(all);
  std::vector<std::uint64_t> found(blocks.size());
  const auto threads = std::min(blocks.size(), static_cast<std::size_t>(threads_now()));
  team(static_cast<int>(threads), [&](Worker& worker) {
    worker.stage([&](const Share& own) {
      const Span mine = own.of(static_cast<index>(blocks.size()));
      for (auto i = static_cast<std::size_t>(mine.begin); i < static_cast<std::size_t>(mine.end);
           ++i) {
        found[i] = fingerprint(blocks[i]);
        own.worked(fingerprint_block / word_bytes);
      }
    });
  });
  for (const std::uint64_t one : found) result = step(result, one);
  return result;
}

}  // namespace rnnfast
