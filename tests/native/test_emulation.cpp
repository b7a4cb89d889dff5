// The emulation of a GPU: right kernels give their results in any order, and what may be wrong with
// one is found in any order.
#define RNNFAST_ONE_LANE

#include "../cuda/sample_checks.hpp"
#include "check.hpp"
#include "emulation/device.hpp"

namespace rnnfast {
namespace {

using emulation::EmulatedThread;
using emulation::LaunchSizes;
using emulation::Memory;
using Faults = std::vector<std::string>;

constexpr unsigned seeds = 5;

std::string joined(const Faults& faults) {
  std::string all;
  for (const std::string& fault : faults) all += fault + "; ";
  return all;
}

TEST(kernels_run_alike_in_any_order) {
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    emulation::EmulatedDevice device(seed);
    check_round_the_grid(device);
    check_round_the_cluster(device);
    check_sums_of_blocks<float>(device);
    check_sums_of_blocks<double>(device);
    check_asynchronous_copies(device);
    check_a_product_of_a_warp<Bfloat16>(device);
    check_a_product_of_a_warp<Float16>(device);
  }
}

/// c (16, 8) of one product in which a lane's number of an operand's fragment is 1 and the others
/// 0, and the other operand's numbers are all 1 + their place in it, by rows.
template <class Stored>
std::vector<float> product_with_one(bool of_a, int lane, int i) {
  const auto bits = [](int value) {
    return std::uint32_t{nearest<Stored>(static_cast<float>(value)).bits};
  };
  Memory memory;
  float* const c = memory.reserve<float>("c", 16 * 8);
  emulation::launch(memory, {1, 32}, [&](EmulatedThread& m) {
    // PTX ISA, 'Matrix Fragments for mma.m16n8k16 with floating point type', as it is written
    // there.
    const int group = m.thread() >> 2;
    const int in_group = m.thread() % 4;
    std::uint32_t a[4] = {};
    std::uint32_t b[2] = {};
    for (int n = 0; n < 8; ++n) {
      const int row = (0 <= n && n < 2) || (4 <= n && n < 6) ? group : group + 8;
      const int column = n < 4 ? in_group * 2 + (n & 1) : in_group * 2 + (n & 1) + 8;
      const int value = of_a ? m.thread() == lane && n == i : 1 + row * 16 + column;
      a[n / 2] |= bits(value) << n % 2 * 16;
    }
    for (int n = 0; n < 4; ++n) {
      const int row = n < 2 ? in_group * 2 + (n & 1) : in_group * 2 + (n & 1) + 8;
      const int value = of_a ? 1 + row * 8 + group : m.thread() == lane && n == i;
      b[n / 2] |= bits(value) << n % 2 * 16;
    }
    float d[4] = {};
    m.mma<Stored>(d, a, b);
    for (int n = 0; n < 4; ++n) {
      const int row = n < 2 ? group : group + 8;
      m.store(c + row * 8 + in_group * 2 + (n & 1), d[n]);
    }
  });
  return {c, c + 16 * 8};
}

/// A number of A is multiplied by a row of B, one of B by a column of A.
template <class Stored>
void check_fragments() {
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 8; ++i) {
      const int row = lane / 4 + i / 2 % 2 * 8;
      const int column = lane % 4 * 2 + i % 2 + i / 4 * 8;
      const std::vector<float> c = product_with_one<Stored>(true, lane, i);
      for (int at = 0; at < 16 * 8; ++at) {
        const int wanted = at / 8 == row ? 1 + column * 8 + at % 8 : 0;
        CHECK(c[static_cast<std::size_t>(at)] == static_cast<float>(wanted), "%d %d", lane, i);
      }
    }
    for (int i = 0; i < 4; ++i) {
      const int row = lane % 4 * 2 + i % 2 + i / 2 * 8;
      const std::vector<float> c = product_with_one<Stored>(false, lane, i);
      for (int at = 0; at < 16 * 8; ++at) {
        const int wanted = at % 8 == lane / 4 ? 1 + at / 8 * 16 + row : 0;
        CHECK(c[static_cast<std::size_t>(at)] == static_cast<float>(wanted), "%d %d", lane, i);
      }
    }
  }
}

TEST(fragments_are_those_of_ptx) {
  check_fragments<Bfloat16>();
  check_fragments<Float16>();
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
  check_found("barrier: its threads are at two places", {1, 64, 1, 0, 0},
              [](auto& m, float*, float*) {
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

TEST(several_numbers_at_once_are_each_looked_at) {
  struct alignas(8) Two {
    float numbers[2];
  };
  const auto two = [](float* at) { return reinterpret_cast<Two*>(at); };
  check_found("outside: memory of no array", {1, 32, 1, 0, 0},
              [&](auto& m, float* numbers, float*) { m.load(two(numbers + 256)); });
  check_found("read and never written: results", {1, 32, 1, 0, 0},
              [&](auto& m, float*, float* results) {
                if (m.thread() == 0) m.store(results + 2, 1.0f);
                if (m.thread() == 0) m.load(two(results + 2));
              });
  check_found("race: numbers", {1, 32, 1, 0, 0}, [&](auto& m, float* numbers, float*) {
    if (m.thread() == 0) m.store(two(numbers), Two{{1, 2}});
    if (m.thread() == 1) m.store(numbers + 1, 1.0f);
  });
  check_found("not aligned: numbers", {1, 32, 1, 0, 0},
              [&](auto& m, float* numbers, float*) { m.load(two(numbers + 1)); });
}

TEST(numbers_that_nobody_wrote_are_found) {
  check_found("read and never written: results", {1, 32, 1, 0, 0},
              [](auto& m, float*, float* results) { m.load(results + m.thread()); });
  check_found("read and never written: shared memory", {1, 32, 1, 256, 0},
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
  check_found("not waited for: copy", {1, 32, 1, 512, 0},
              [&](auto& m, float* numbers, float*) { copy(m, numbers); });
  check_found("used before it is there: shared memory", {1, 32, 1, 512, 0},
              [&](auto& m, float* numbers, float*) {
                copy(m, numbers).get(4 * m.thread());
                m.finish_copies();
              });
  check_found("not at a multiple of 16 bytes: copy", {1, 32, 1, 512, 0},
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
