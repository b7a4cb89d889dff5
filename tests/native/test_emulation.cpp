// The emulation of a GPU: right kernels give their results in any order, and what may be wrong with
// one is found in any order.
#define RNNFAST_ONE_LANE

#include <bit>

#include "../cuda/sample_kernels.hpp"
#include "check.hpp"
#include "emulation/thread.hpp"

namespace rnnfast {
namespace {

using emulation::EmulatedThread;
using emulation::LaunchSizes;
using emulation::Memory;
using testing::Random;
using Faults = std::vector<std::string>;

constexpr unsigned seeds = 5;

std::string joined(const Faults& faults) {
  std::string all;
  for (const std::string& fault : faults) all += fault + "; ";
  return all;
}

TEST(numbers_go_round_the_grid) {
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    Memory memory;
    auto* at = memory.reserve<float>("at", 2 * 3 * 64);
    for (int i = 0; i < 3 * 64; ++i) at[i] = static_cast<float>(i);
    for (int i = 0; i < 3 * 64; ++i) memory.array_of(at)->words[std::size_t(i)].written = true;
    const Faults faults = emulation::launch(memory, {3, 64, 1, 0, seed},
                                            [&](EmulatedThread& m) { around_the_grid(m, at, 4); });
    CHECK(faults.empty(), "%s", joined(faults).c_str());
    for (int i = 0; i < 3 * 64; ++i) {
      const int from = (i + 2 * 64) % (3 * 64);  // four blocks back
      CHECK(at[i] == static_cast<float>(from + 4), "%d: %g", i, double(at[i]));
    }
  }
}

TEST(numbers_go_round_the_cluster) {
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    Memory memory;
    std::vector<float> given(8 * 32);
    for (std::size_t i = 0; i < given.size(); ++i) given[i] = static_cast<float>(i);
    auto* at = memory.copy("at", given);
    const Faults faults = emulation::launch(
        memory, {8, 32, 4, 256, seed}, [&](EmulatedThread& m) { around_the_cluster(m, at, 3); });
    CHECK(faults.empty(), "%s", joined(faults).c_str());
    for (int i = 0; i < 8 * 32; ++i) {
      const int from = i / 128 * 128 + (i + 32) % 128;
      CHECK(at[i] == static_cast<float>(from + 3), "%d: %g", i, double(at[i]));
    }
  }
}

template <class T>
void check_sums() {
  Random random;
  const auto numbers = random.vector<T>(2 * 96);
  Memory memory;
  const T* from = memory.copy("from", numbers);
  T* to = memory.reserve<T>("to", 2);
  T first[2] = {};
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    const Faults faults = emulation::launch(memory, {2, 96, 1, 3 * sizeof(T), seed},
                                            [&](EmulatedThread& m) { sum_of_block(m, from, to); });
    CHECK(faults.empty(), "%s", joined(faults).c_str());
    for (int block = 0; block < 2; ++block) {
      double sum = 0;
      for (int i = 0; i < 96; ++i) sum += double(numbers[std::size_t(block * 96 + i)]);
      CHECK(std::abs(double(to[block]) - sum) < 1e-5, "%g %g", double(to[block]), sum);
      if (seed == 1) first[block] = to[block];
      CHECK(to[block] == first[block], "other bits in another order");
    }
  }
}

TEST(sums_of_blocks) {
  check_sums<float>();
  check_sums<double>();
}

TEST(asynchronous_copies) {
  Random random;
  const auto numbers = random.vector<float>(2 * 4 * 32);
  Memory memory;
  const float* from = memory.copy("from", numbers);
  float* to = memory.reserve<float>("to", numbers.size());
  const Faults faults = emulation::launch(memory, {2, 32, 1, 512, 1},
                                          [&](EmulatedThread& m) { backwards(m, from, to); });
  CHECK(faults.empty(), "%s", joined(faults).c_str());
  CHECK(memory.unwritten(to) == 0, "%d", static_cast<int>(memory.unwritten(to)));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    CHECK(to[i] == numbers[i / 128 * 128 + 127 - i % 128], "%d", static_cast<int>(i));
  }
}

TEST(a_product_of_a_warp) {
  Random random;
  const auto draw = [&](std::size_t count) {
    std::vector<float> drawn(count);
    for (float& x : drawn) {
      const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(random.next()));
      x = std::bit_cast<float>(bits & 0xffff0000u);
    }
    return drawn;
  };
  const auto packed = [](const std::vector<float>& numbers) {
    std::vector<std::uint32_t> pairs;
    for (std::size_t i = 0; i < numbers.size(); i += 2) {
      pairs.push_back(std::bit_cast<std::uint32_t>(numbers[i]) >> 16 |
                      std::bit_cast<std::uint32_t>(numbers[i + 1]));
    }
    return pairs;
  };
  const auto a = draw(16 * 16);
  const auto b = draw(8 * 16);
  Memory memory;
  const auto* of_a = memory.copy("a", packed(a));
  const auto* of_b = memory.copy("b", packed(b));
  float* c = memory.reserve<float>("c", 16 * 8);
  const Faults faults = emulation::launch(
      memory, {1, 32, 1, 0, 3}, [&](EmulatedThread& m) { product_of_a_warp(m, of_a, of_b, c); });
  CHECK(faults.empty(), "%s", joined(faults).c_str());
  for (std::size_t row = 0; row < 16; ++row) {
    for (std::size_t column = 0; column < 8; ++column) {
      double sum = 0;
      for (std::size_t k = 0; k < 16; ++k) {
        sum += double(a[row * 16 + k]) * double(b[column * 16 + k]);
      }
      CHECK(std::abs(sum - double(c[row * 8 + column])) < 1e-5, "%d %d", int(row), int(column));
    }
  }
}

/// What a kernel must be blamed for, whatever the order, and for nothing else.
template <class Kernel>
void check_found(const char* wanted, LaunchSizes sizes, Kernel&& kernel) {
  for (sizes.seed = 1; sizes.seed <= seeds; ++sizes.seed) {
    Memory memory;
    float* numbers = memory.copy("numbers", std::vector<float>(256));
    float* results = memory.reserve<float>("results", 256);
    const Faults faults =
        emulation::launch(memory, sizes, [&](EmulatedThread& m) { kernel(m, numbers, results); });
    CHECK(faults.size() == 1 && faults.front() == wanted, "wanted '%s', got '%s'", wanted,
          joined(faults).c_str());
  }
}

TEST(a_race_within_a_block_is_found) {
  check_found("race: shared memory", {1, 64, 1, 256, 0}, [](auto& m, float*, float*) {
    const auto numbers = m.template shared<float>(0, 64);
    numbers.set(m.thread(), 1);
    m.sync();
    numbers.set(m.thread(), 2);
    numbers.get((m.thread() + 1) % 64);
  });
}

TEST(a_race_between_blocks_is_found_that_a_block_barrier_does_not_mend) {
  check_found("race: numbers", {2, 32, 1, 0, 0}, [](auto& m, float* numbers, float*) {
    const int own = m.block() * 32 + m.thread();
    m.store(numbers + own, 1.0f);
    m.sync();
    m.load(numbers + (own + 32) % 64);
  });
}

TEST(a_grid_barrier_mends_it) {
  Memory memory;
  float* numbers = memory.copy("numbers", std::vector<float>(64));
  const Faults faults = emulation::launch(memory, {2, 32, 1, 0, 1}, [&](EmulatedThread& m) {
    const int own = m.block() * 32 + m.thread();
    m.store(numbers + own, 1.0f);
    m.sync_grid();
    m.load(numbers + (own + 32) % 64);
  });
  CHECK(faults.empty(), "%s", joined(faults).c_str());
}

TEST(two_writers_are_a_race) {
  check_found("race: results", {2, 32, 1, 0, 0},
              [](auto& m, float*, float* results) { m.store(results + m.thread(), 1.0f); });
}

TEST(a_write_after_reads_of_many_is_a_race) {
  check_found("race: numbers", {1, 64, 1, 0, 0}, [](auto& m, float* numbers, float*) {
    m.load(numbers);
    if (m.thread() == 5) m.store(numbers, 1.0f);
  });
}

TEST(a_race_between_clusters_is_found_that_a_cluster_barrier_does_not_mend) {
  check_found("race: numbers", {4, 32, 2, 0, 0}, [](auto& m, float* numbers, float*) {
    const int own = m.block() * 32 + m.thread();
    m.store(numbers + own, 1.0f);
    m.sync_cluster();
    m.load(numbers + (own + 64) % 128);
  });
}

TEST(a_barrier_that_not_all_reach_is_found) {
  check_found("barrier: not all reach it", {1, 64, 1, 0, 0}, [](auto& m, float*, float*) {
    if (m.thread() != 7) m.sync();
  });
  check_found("barrier: not all reach it", {2, 32, 1, 0, 0}, [](auto& m, float*, float*) {
    if (m.block() == 0) m.sync_grid();
  });
  check_found("barrier: not all reach it", {4, 32, 2, 0, 0}, [](auto& m, float*, float*) {
    if (m.block() != 3) m.sync_cluster();
  });
}

TEST(barriers_of_two_kinds_do_not_meet) {
  check_found("barrier: not all reach it", {2, 32, 2, 0, 0},
              [](auto& m, float*, float*) { m.block() == 0 ? m.sync_grid() : m.sync_cluster(); });
}

TEST(a_barrier_at_two_places_is_found) {
  check_found("barrier: its threads are at two", {1, 64, 1, 0, 0}, [](auto& m, float*, float*) {
    if (m.thread() < 32) {
      m.sync();
    } else {
      m.sync();
    }
  });
}

TEST(a_shuffle_of_half_a_warp_is_found) {
  check_found("barrier: not all reach it", {1, 32, 1, 0, 0}, [](auto& m, float*, float*) {
    if (m.thread() < 16) m.shuffle_xor(1.0f, 1);
  });
}

TEST(shared_memory_out_of_range_is_found) {
  // past what was asked for, and past what the block has
  check_found("outside: shared memory", {1, 32, 1, 256, 0}, [](auto& m, float*, float*) {
    m.template shared<float>(0, 32).set(m.thread() + 1, 1);
  });
  check_found("outside: shared memory", {1, 32, 1, 64, 0},
              [](auto& m, float*, float*) { m.template shared<float>(0, 32).set(m.thread(), 1); });
}

TEST(memory_out_of_range_is_found) {
  check_found("outside: memory of no array", {1, 32, 1, 0, 0},
              [](auto& m, float* numbers, float*) { m.load(numbers + 256 + m.thread()); });
}

TEST(numbers_that_nobody_wrote_are_found) {
  check_found("unwritten: results is read", {1, 32, 1, 0, 0},
              [](auto& m, float*, float* results) { m.load(results + m.thread()); });
  check_found("unwritten: shared memory is read", {1, 32, 1, 256, 0},
              [](auto& m, float*, float*) { m.template shared<float>(0, 32).get(m.thread()); });
  Memory memory;
  float* results = memory.reserve<float>("results", 64);
  emulation::launch(memory, {1, 64, 1, 0, 1}, [&](EmulatedThread& m) {
    if (m.thread() != 9) m.store(results + m.thread(), 1.0f);
  });
  CHECK(memory.unwritten(results) == 1, "%d", static_cast<int>(memory.unwritten(results)));
}

TEST(a_copy_that_is_not_waited_for_is_found) {
  const auto copy = [](auto& m, float* numbers) {
    const auto to = m.template shared<float>(0, 4 * 32);
    m.copy_async(to, 4 * m.thread(), numbers + 4 * m.thread());
    return to;
  };
  check_found("copy: nobody waits for it", {1, 32, 1, 512, 0},
              [&](auto& m, float* numbers, float*) { copy(m, numbers); });
  check_found("copy: shared memory is used before it is there", {1, 32, 1, 512, 0},
              [&](auto& m, float* numbers, float*) {
                copy(m, numbers).get(4 * m.thread());
                m.finish_copies();
              });
  check_found("copy: not at a multiple of 16 bytes", {1, 32, 1, 512, 0},
              [](auto& m, float* numbers, float*) {
                m.copy_async(m.template shared<float>(0, 128), 4 * (m.thread() % 8),
                             numbers + 4 * m.thread() + 1);
              });
}

TEST(shared_memory_of_a_block_that_is_not_there_is_found) {
  // it may not have begun
  check_found("outside: a block that is not there", {2, 32, 2, 128, 0},
              [](auto& m, float*, float*) {
                const auto own = m.template shared<float>(0, 32);
                m.peer(own, 1 - m.cluster_rank()).set(m.thread(), 1);
                m.sync_cluster();
              });
  // it may have ended: the order decides, so that one seed of some must find it
  int found = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Memory memory;
    const Faults faults = emulation::launch(memory, {2, 32, 2, 128, seed}, [](EmulatedThread& m) {
      const auto own = m.shared<float>(0, 32);
      m.sync_cluster();
      m.peer(own, 1 - m.cluster_rank()).set(m.thread(), 1);
    });
    found += !faults.empty() && faults.front() == "outside: a block that is not there";
  }
  CHECK(found > 0, "no order has found it");
}

}  // namespace
}  // namespace rnnfast
