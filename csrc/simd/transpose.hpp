// Transposes N rows of N lanes in registers: log2(N) rounds, in which rows that differ in one bit
// of their number trade the lanes that differ in the same bit (Eklundh 1972).
#pragma once

#include "simd/vec.hpp"

namespace rnnfast {
namespace {

template <int... Lane>
struct LaneList {};
template <int Count, int... Lane>
struct LanesUpTo : LanesUpTo<Count - 1, Count - 1, Lane...> {};
template <int... Lane>
struct LanesUpTo<0, Lane...> {
  using List = LaneList<Lane...>;
};

template <int Distance, class V, int... Lane>
inline void trade_lanes(V& low, V& high, LaneList<Lane...>) {
  constexpr int count = sizeof...(Lane);
  const V a = low;
  const V b = high;
  low = __builtin_shufflevector(a, b, (Lane & Distance ? count + Lane - Distance : Lane)...);
  high = __builtin_shufflevector(a, b, (Lane & Distance ? count + Lane : Lane + Distance)...);
}

template <int Distance, class T>
inline void trade_round(Vec<T>* rows) {
  constexpr int count = static_cast<int>(lanes<T>);
#pragma GCC unroll 16
  for (int row = 0; row < count; ++row) {
    if (!(row & Distance)) {
      trade_lanes<Distance>(rows[row], rows[row + Distance], typename LanesUpTo<count>::List());
    }
  }
  if constexpr (Distance > 1) trade_round<Distance / 2, T>(rows);
}

/// rows[i][j] becomes rows[j][i].
template <class T>
inline void transpose(Vec<T>* rows) {
  trade_round<static_cast<int>(lanes<T>) / 2, T>(rows);
}

}  // namespace
}  // namespace rnnfast
