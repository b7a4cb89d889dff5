// The ulp table: function, domain, bound. Compared with long double, at evenly spaced arguments and
// at arguments spaced evenly in their logarithm, both signs.
#include <cmath>
#include <limits>

#include "check.hpp"

namespace rnnfast {
namespace {

template <class T>
struct Row {
  const char* name;
  void (*function)(const T*, T*, index);
  long double (*truth)(long double);
  double highest;
  double ulps;
};

template <class T>
double ulp_error(T value, long double truth) {
  const T rounded = static_cast<T>(truth);
  int exponent = 0;
  std::frexp(rounded, &exponent);
  const long double ulp = std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits);
  return static_cast<double>(std::fabs(static_cast<long double>(value) - truth) / ulp);
}

template <class T>
std::vector<T> arguments(double highest) {
  std::vector<T> x;
  constexpr int count = 20000;
  for (int i = 0; i < count; ++i) {
    const double even = highest * (2.0 * i / count - 1.0);
    const double small = std::exp2(-40.0 * i / count) * highest;
    x.insert(x.end(), {static_cast<T>(even), static_cast<T>(small), static_cast<T>(-small), T(0)});
  }
  return x;  // a multiple of every vector's lanes
}

TEST(activations_are_within_their_ulps) {
  testing::for_each_kernel([](const Target& target, auto scalar) {
    using T = decltype(scalar);
    const Probes<T>& probes = kernels_of<T>(target).probes;
    // sigmoid's far tail ends where its value stops being a normal number.
    const double tail = sizeof(T) == sizeof(float) ? 87.0 : 708.0;
    const Row<T> table[] = {
        {"sigmoid", probes.sigmoid, [](long double x) { return 1 / (1 + std::exp(-x)); }, tail, 3},
        {"tanh", probes.tanh, [](long double x) { return std::tanh(x); }, 40.0, 3},
    };
    for (const Row<T>& row : table) {
      const std::vector<T> x = arguments<T>(row.highest);
      std::vector<T> y(x.size());
      row.function(x.data(), y.data(), static_cast<index>(x.size()));
      double worst = 0;
      T where = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulp_error(y[i], row.truth(x[i]));
        if (!(error <= worst)) {
          worst = error;
          where = x[i];
        }
      }
      std::printf("  %-8s %-6s %-7s [-%g, %g]  %.2f ulp at %g\n", target.name,
                  sizeof(T) == sizeof(float) ? "float" : "double", row.name, row.highest,
                  row.highest, worst, static_cast<double>(where));
      CHECK(worst <= row.ulps, "%s %s: %.2f ulp", target.name, row.name, worst);
    }
  });
}

TEST(activations_keep_nan_and_saturate) {
  testing::for_each_kernel([](const Target& target, auto scalar) {
    using T = decltype(scalar);
    const Probes<T>& probes = kernels_of<T>(target).probes;
    constexpr T infinity = std::numeric_limits<T>::infinity();
    constexpr T nan = std::numeric_limits<T>::quiet_NaN();
    const std::vector<T> x = {infinity, -infinity, nan, T(0), T(1e30), T(-1e30), -nan, T(1),
                              0,        0,         0,   0,    0,       0,        0,    0};
    std::vector<T> s(x.size());
    std::vector<T> t(x.size());
    probes.sigmoid(x.data(), s.data(), static_cast<index>(x.size()));
    probes.tanh(x.data(), t.data(), static_cast<index>(x.size()));
    CHECK(s[0] == 1 && s[1] == 0 && s[3] == T(0.5) && s[4] == 1 && s[5] == 0, "%s", target.name);
    CHECK(t[0] == 1 && t[1] == -1 && t[3] == 0 && t[4] == 1 && t[5] == -1, "%s", target.name);
    CHECK(std::isnan(s[2]) && std::isnan(t[2]) && std::isnan(s[6]) && std::isnan(t[6]), "%s",
          target.name);
  });
}

}  // namespace
}  // namespace rnnfast
