// Packing moves every element to its place, leaves none behind, and invents only zeros.
#include <cmath>
#include <cstring>

#include "check.hpp"
#include "gemm/pack.hpp"

namespace rnnfast {
namespace {

using testing::Random;

TEST(lanes_are_packed_and_unpacked) {
  testing::for_each_kernel([](const Target& target, auto scalar) {
    using T = decltype(scalar);
    const ScalarKernels<T>& kernels = kernels_of<T>(target);
    const index lanes = kernels.fixed.cells[0].traits.lanes;
    for (index rows = 1; rows <= lanes; ++rows) {
      for (const index length : {index{1}, lanes - 1, lanes, lanes + 1, 3 * lanes + 2}) {
        const std::vector<T> w = Random().vector<T>(rows * length);
        std::vector<T> packed(static_cast<std::size_t>(length * lanes), T(7));
        kernels.probes.pack_lanes(w.data(), rows, length, packed.data());
        bool right = true;
        for (index k = 0; k < length; ++k) {
          for (index lane = 0; lane < lanes; ++lane) {
            const T wanted = lane < rows ? w[static_cast<std::size_t>(lane * length + k)] : T(0);
            right = right && packed[static_cast<std::size_t>(k * lanes + lane)] == wanted;
          }
        }
        CHECK(right, "%s: pack %d rows of %d", target.name, static_cast<int>(rows),
              static_cast<int>(length));
        // One element more on either side must stay as it was.
        std::vector<T> back(w.size() + 2, T(9));
        kernels.probes.unpack_lanes(packed.data(), rows, length, back.data() + 1);
        CHECK(back.front() == T(9) && back.back() == T(9), "%s: wrote outside", target.name);
        CHECK(std::vector<T>(back.begin() + 1, back.end() - 1) == w, "%s: unpack %d rows of %d",
              target.name, static_cast<int>(rows), static_cast<int>(length));
      }
    }
  });
}

// What follows is the same code for every target but for its N: here it is compiled for the one
// that this file is. Each array ends where its last element does, for a sanitizer to see.
template <class T>
void check_rows() {
  constexpr index N = lanes<T>;
  for (index length = 0; length <= 2 * N + 1; ++length) {
    const std::vector<T> row = Random().vector<T>(length);
    const index whole = (length + N - 1) / N * N;
    for (const index padded : {whole, whole + N, whole + 3 * N}) {
      std::vector<T> wanted = row;
      wanted.resize(static_cast<std::size_t>(padded), T(0));
      std::vector<T> packed(wanted.size(), T(9));
      pack_row(row.data(), length, padded, packed.data());
      CHECK(packed == wanted, "%d of %d", static_cast<int>(length), static_cast<int>(padded));
    }
  }
}

TEST(rows_are_padded_with_zeros) {
  check_rows<float>();
  check_rows<double>();
}

template <class T, int M>
void check_strips() {
  const index where[] = {3, 0, 4, 4};  // rows that lie anywhere, one of them twice
  constexpr index count = 4;
  constexpr index gap = 3;
  for (const index width : {1, M - 1, M, M + 1, 2 * M + 3, 8 * M, 17 * M + 1}) {
    const index strips = width / M + 1;
    for (const index first : {index(0), strips / 2, strips - 1}) {
      const index matrix_stride = width + 5;
      const std::vector<T> matrix = Random().vector<T>(4 * matrix_stride + width);
      const index stride = count * M + gap;
      std::vector<T> wanted(static_cast<std::size_t>((strips - first) * stride), T(9));
      std::vector<T> packed = wanted;
      for (index strip = first; strip < strips; ++strip) {
        for (index k = 0; k < count; ++k) {
          for (index m = 0; m < M; ++m) {
            const index column = strip * M + m;
            const auto at = static_cast<std::size_t>((strip - first) * stride + k * M + m);
            const T past = column == width ? T(1) : T(0);
            wanted[at] = column < width
                             ? matrix[static_cast<std::size_t>(where[k] * matrix_stride + column)]
                             : past;
          }
        }
      }
      pack_strips<Plain<T>, M>({matrix.data(), where, matrix_stride}, count, {first, strips}, width,
                               packed.data(), stride);
      CHECK(packed == wanted, "strips of %d columns from number %d on, of %d", M,
            static_cast<int>(first), static_cast<int>(width));
    }
  }
}

TEST(strips_end_in_a_column_of_ones_and_zeros) {
  check_strips<float, 6>();
  check_strips<float, 8>();
  check_strips<double, 6>();
  check_strips<double, 8>();
}

/// To 8 significant bits, ties to even.
float rounded(float x) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(fraction * 256), exponent - 8));
}

bool is_pair(const BfloatOperand& pair, float first, float second) {
  return pair.k[0] == rounded(first) && pair.k[1] == rounded(second);
}
bool is_pair(const BfloatPair& pair, float first, float second) {
  const std::uint32_t halves[] = {pair.bits << 16, pair.bits & 0xffff0000};
  float numbers[2];
  std::memcpy(numbers, halves, sizeof numbers);
  return numbers[0] == rounded(first) && numbers[1] == rounded(second);
}

/// Strips of rows in pairs, the last one by itself where they are odd.
template <int M>
void check_strips_of_pairs(index count) {
  const index where[] = {3, 0, 4, 4, 1, 2, 0, 1, 2, 3, 4, 2, 1, 0, 3, 4, 1, 3, 0};
  for (const index width : {1, M - 1, M, M + 1, 2 * M + 3, 8 * M, 12 * M + 2, 17 * M + 1}) {
    const index strips = width / M + 1;
    const std::vector<float> matrix = Random().vector<float>(5 * width);
    const auto at = [&](index k, index column) {
      if (k >= count || column > width) return 0.0f;
      return column == width ? 1.0f : matrix[static_cast<std::size_t>(where[k] * width + column)];
    };
    const index stride = (count + 1) / 2 * M;
    std::vector<BfloatOperand> packed(static_cast<std::size_t>(strips * stride));
    pack_strips<Bf16, M>({matrix.data(), where, width}, count, {0, strips}, width, packed.data(),
                         stride);
    bool right = true;
    for (index strip = 0; strip < strips; ++strip) {
      for (index pair = 0; pair < (count + 1) / 2; ++pair) {
        for (index m = 0; m < M; ++m) {
          const index column = strip * M + m;
          right = right && is_pair(packed[static_cast<std::size_t>(strip * stride + pair * M + m)],
                                   at(2 * pair, column), at(2 * pair + 1, column));
        }
      }
    }
    CHECK(right, "%d rows in strips of %d columns, of %d", static_cast<int>(count), M,
          static_cast<int>(width));
  }
}

TEST(strips_of_bfloat16_are_pairs_of_rows) {
  for (const index count : {1, 2, 3, 16, 17, 19}) {
    check_strips_of_pairs<6>(count);
    check_strips_of_pairs<8>(count);
  }
}

TEST(rows_of_operands_are_turned) {
  constexpr index N = lanes<float>;
  const std::vector<float> rows = Random().vector<float>(2 * N);
  std::vector<BfloatOperand> operands(static_cast<std::size_t>(N));
  for (index row = 0; row < 2; ++row) {
    Bf16::round(load(rows.data() + row * N), operands.data() + row * N / 2);
  }
  const BfloatOperand* const both[] = {operands.data(), operands.data() + N / 2};
  std::vector<BfloatPair> pairs(static_cast<std::size_t>(N));
  Bf16::turn(both, pairs.data());
  bool right = true;
  for (std::size_t lane = 0; lane < pairs.size(); ++lane) {
    right = right && is_pair(pairs[lane], rows[lane], rows[lane + pairs.size()]);
  }
  CHECK(right, "pairs of %d columns", static_cast<int>(N));
}

}  // namespace
}  // namespace rnnfast
