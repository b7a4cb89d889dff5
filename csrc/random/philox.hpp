// Random numbers of 16 bits, from a generator that is a function of its counter (Philox 4x64, ten
// rounds: Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011), so that any thread,
// of a processor or of a GPU, can draw any of them:
//
//   number i = quarter i % 16 of the words of block 1 + i / 16, each least significant first
#pragma once

#include <cstdint>

#include "base/dims.hpp"

namespace rnnfast {

/// What numbers are drawn from.
struct RandomStream {
  std::uint64_t seed;  // the generator's key
  std::uint64_t kind;  // its counter's upper words
  std::uint64_t part;
  std::uint64_t half = 0;  // the word below: of 1 are numbers that those of 0 know nothing of
};

namespace {  // as in base/dims.hpp

constexpr int words_per_block = 4;
constexpr int numbers_per_word = 4;
constexpr index numbers_per_block = words_per_block * numbers_per_word;

struct Halves {
  std::uint64_t high;
  std::uint64_t low;
};
RNNFAST_BOTH inline Halves product(std::uint64_t a, std::uint64_t b) {
  const unsigned __int128 whole = static_cast<unsigned __int128>(a) * b;
  return {static_cast<std::uint64_t>(whole >> 64), static_cast<std::uint64_t>(whole)};
}

/// One block's words.
RNNFAST_BOTH inline void philox(const RandomStream& stream, std::uint64_t block,
                                std::uint64_t (&word)[words_per_block]) {
  std::uint64_t key[2] = {stream.seed, 0};
  word[0] = block;
  word[1] = stream.half;
  word[2] = stream.kind;
  word[3] = stream.part;
  for (int round = 0; round < 10; ++round) {
    const Halves first = product(0xD2E7470EE14C6C93u, word[0]);
    const Halves second = product(0xCA5A826395121157u, word[2]);
    word[0] = second.high ^ word[1] ^ key[0];
    word[1] = second.low;
    word[2] = first.high ^ word[3] ^ key[1];
    word[3] = first.low;
    key[0] += 0x9E3779B97F4A7C15u;
    key[1] += 0xBB67AE8584CAA73Bu;
  }
}

/// The numbers of one word.
RNNFAST_BOTH inline std::uint16_t quarter(std::uint64_t word, int i) {
  return static_cast<std::uint16_t>(word >> 16 * i);
}

}  // namespace
}  // namespace rnnfast
