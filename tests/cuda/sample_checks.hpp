// What the kernels of sample_kernels.hpp must give, on a GPU or an emulated one: a `Device` has
// memory and runs kernels (native/emulation/device.hpp, cuda/gpu_device.cuh).
#pragma once

#include <cmath>

#include "../native/check.hpp"
#include "base/float16.hpp"
#include "sample_kernels.hpp"

namespace rnnfast {
namespace {

using testing::Random;

inline std::vector<float> counted(int count) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) numbers[static_cast<std::size_t>(i)] = static_cast<float>(i);
  return numbers;
}

template <class Device>
void check_round_the_grid(Device& device) {
  constexpr int blocks = 3;
  constexpr int threads = 64;
  constexpr int count = blocks * threads;
  std::vector<float> given = counted(count);
  given.resize(2 * count);
  float* const at = device.copy("at", given);
  device.run({blocks, threads}, AroundTheGrid{at, 4});
  const std::vector<float> got = device.numbers(at, count);
  for (int i = 0; i < count; ++i) {
    const int from = (i + 2 * threads) % count;  // four blocks back
    CHECK(got[static_cast<std::size_t>(i)] == static_cast<float>(from + 4), "%d", i);
  }
}

template <class Device>
void check_round_the_cluster(Device& device) {
  constexpr int blocks = 8;
  constexpr int threads = 32;
  constexpr int cluster = 4;
  float* const at = device.copy("at", counted(blocks * threads));
  device.run({blocks, threads, cluster, 2 * threads * 4}, AroundTheCluster{at, 3});
  const std::vector<float> got = device.numbers(at, blocks * threads);
  for (int i = 0; i < blocks * threads; ++i) {
    constexpr int round = cluster * threads;
    const int from = i / round * round + (i + threads) % round;  // three blocks back
    CHECK(got[static_cast<std::size_t>(i)] == static_cast<float>(from + 3), "%d", i);
  }
}

template <class T, class Device>
void check_sums_of_blocks(Device& device) {
  constexpr int threads = 96;
  const std::vector<T> numbers = Random().vector<T>(2 * threads);
  const T* const from = device.copy("from", numbers);
  T* const to = device.template reserve<T>("to", 2);
  device.run({2, threads, 1, threads / warp_lanes * static_cast<int>(sizeof(T))},
             SumOfBlock<T>{from, to});
  // In the order of cuda/row_sum.hpp, and so to the bit.
  const std::vector<T> got = device.numbers(to, 2);
  for (std::size_t block = 0; block < 2; ++block) {
    T sum = 0;
    for (std::size_t warp = 0; warp < threads / warp_lanes; ++warp) {
      T lanes[warp_lanes];
      for (std::size_t i = 0; i < warp_lanes; ++i) {
        lanes[i] = numbers[block * threads + warp * warp_lanes + i];
      }
      for (int half = warp_lanes / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) lanes[i] = lanes[i] + lanes[i + half];
      }
      sum = warp == 0 ? lanes[0] : sum + lanes[0];
    }
    CHECK(got[block] == sum, "%g, wanted %g", double(got[block]), double(sum));
  }
}

template <class Device>
void check_asynchronous_copies(Device& device) {
  const std::vector<float> numbers = counted(2 * 4 * 32);
  float* const to = device.template reserve<float>("to", numbers.size());
  device.run({2, 32, 1, 512}, Backwards{device.copy("from", numbers), to});
  CHECK(device.unwritten(to, numbers.size()) == 0, "unwritten");
  const std::vector<float> got = device.numbers(to, numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    CHECK(got[i] == numbers[i / 128 * 128 + 127 - i % 128], "%d", static_cast<int>(i));
  }
}

template <class Stored>
std::vector<Stored> short_numbers(Random& random, int count) {
  std::vector<Stored> numbers;
  for (const float x : random.vector<float>(count)) numbers.push_back(nearest<Stored>(x));
  return numbers;
}

template <class Stored>
std::vector<std::uint32_t> in_pairs(const std::vector<Stored>& numbers) {
  std::vector<std::uint32_t> pairs;
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    pairs.push_back(numbers[i].bits | std::uint32_t{numbers[i + 1].bits} << 16);
  }
  return pairs;
}

template <class Stored, class Device>
void check_a_product_of_a_warp(Device& device) {
  Random random;
  const auto a = short_numbers<Stored>(random, 16 * 16);
  const auto b = short_numbers<Stored>(random, 8 * 16);
  float* const c = device.template reserve<float>("c", 16 * 8);
  device.run({1, 32}, ProductOfAWarp<Stored>{device.copy("a", in_pairs(a)),
                                             device.copy("b", in_pairs(b)), c});
  const std::vector<float> got = device.numbers(c, 16 * 8);
  for (std::size_t row = 0; row < 16; ++row) {
    for (std::size_t column = 0; column < 8; ++column) {
      double sum = 0;
      for (std::size_t k = 0; k < 16; ++k) {
        sum += double(widened(a[row * 16 + k])) * double(widened(b[column * 16 + k]));
      }
      CHECK(std::fabs(sum - double(got[row * 8 + column])) < 1e-5, "%d %d", int(row), int(column));
    }
  }
}

}  // namespace
}  // namespace rnnfast
