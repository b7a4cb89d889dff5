// Numbers of 16 bits against what their formats say: signs, exponents and fractions in doubles.
#include <bit>
#include <cmath>

#include "base/float16.hpp"
#include "check.hpp"

namespace rnnfast {
namespace {

/// sign, `exponent` bits, `fraction` bits.
template <int exponent, int fraction>
struct Format {
  static constexpr int bias = (1 << (exponent - 1)) - 1;
  static constexpr int lowest = 1 - bias;  // of normal numbers
  static constexpr int highest = bias;

  static double number(unsigned bits) {
    const int power = static_cast<int>(bits >> fraction) & ((1 << exponent) - 1);
    const double part = bits & ((1u << fraction) - 1);
    const double sign = bits >> 15 ? -1 : 1;
    if (power == (1 << exponent) - 1) return part != 0 ? NAN : sign * HUGE_VAL;
    if (power == 0) return sign * std::ldexp(part, lowest - fraction);
    return sign * std::ldexp(part + (1 << fraction), power - bias - fraction);
  }

  /// The nearest that there is.
  static double rounded(double x) {
    if (std::isnan(x) || std::isinf(x) || x == 0) return x;
    const int power = std::max(std::ilogb(x), lowest) - fraction;
    const double found = std::ldexp(std::nearbyint(std::ldexp(x, -power)), power);
    const double largest = std::ldexp(2 - std::ldexp(1, -fraction), highest);
    return std::fabs(found) > largest ? std::copysign(HUGE_VAL, x) : found;
  }
};

bool same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

template <class Short, class Format>
void check_rounding(float x) {
  const double got = static_cast<double>(widened(nearest<Short>(x)));
  const double wanted = Format::rounded(static_cast<double>(x));
  CHECK(same(got, wanted), "%a became %a, not %a", static_cast<double>(x), got, wanted);
}

template <class Short, class Format>
void check_all_patterns() {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const Short given = {static_cast<std::uint16_t>(bits)};
    const float wide = widened(given);
    const double wanted = Format::number(bits);
    CHECK(same(static_cast<double>(wide), wanted), "%04x is %a, not %a", bits,
          static_cast<double>(wide), wanted);
    const unsigned back = nearest<Short>(wide).bits;
    CHECK(std::isnan(wanted) ? back >> 15 == bits >> 15 && std::isnan(Format::number(back))
                             : back == bits,
          "%04x came back as %04x", bits, back);
    // What lies between it and the next one, and what lies about their middle.
    const auto next = static_cast<float>(Format::number((bits + 1) & 0xffff));
    const float middle = (wide + next) / 2;
    if (!std::isfinite(middle)) continue;
    for (const float x : {wide, middle, next}) {
      check_rounding<Short, Format>(x);
      check_rounding<Short, Format>(std::nextafterf(x, HUGE_VALF));
      check_rounding<Short, Format>(std::nextafterf(x, -HUGE_VALF));
    }
  }
}

/// Floats of all sizes, NaN among them, and those about the ends of a format.
template <class Short, class Format>
void check_floats() {
  testing::Random random;
  for (int i = 0; i < 1000000; ++i) {
    const auto bits = static_cast<std::uint32_t>(std::ldexp(random.next() + 1, 31));
    check_rounding<Short, Format>(std::bit_cast<float>(bits));
  }
  const double largest = std::ldexp(2 - std::ldexp(1, -7), Format::highest);
  for (const double x : {largest, std::ldexp(1, Format::highest), 3.4e38, HUGE_VAL, 1e-45, 1e-38,
                         65504.0, 65519.99, 65520.0, 65536.0, 0.0}) {
    check_rounding<Short, Format>(static_cast<float>(x));
    check_rounding<Short, Format>(-static_cast<float>(x));
  }
}

using HalfPrecision = Format<5, 10>;
using Brain = Format<8, 7>;

TEST(every_pattern_of_16_bits_is_its_number) {
  check_all_patterns<Float16, HalfPrecision>();
  check_all_patterns<Bfloat16, Brain>();
}

TEST(floats_become_the_nearest_number_of_16_bits) {
  check_floats<Float16, HalfPrecision>();
  check_floats<Bfloat16, Brain>();
}

/// What is as wide as it is computed with is left alone: no bit of a NaN changes.
TEST(numbers_of_a_scalar_are_stored_as_they_are) {
  const auto quiet = std::bit_cast<float>(0x7fc12345u);
  CHECK(std::bit_cast<std::uint32_t>(converted<float>(quiet)) == 0x7fc12345u, "changed");
  CHECK(converted<double>(converted<Bfloat16>(1.0)) == 1.0, "not one");
  static_assert(converted<Float16>(1.0f).bits == 0x3c00 &&
                converted<Bfloat16>(1.0f).bits == 0x3f80);
  static_assert(!is_short<float> && !is_short<double> && is_short<Float16>);
}

}  // namespace
}  // namespace rnnfast
