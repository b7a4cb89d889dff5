// What arrays of 16 bits cost.
#pragma once

#include "base/float16.hpp"

namespace rnnfast {
namespace {

/// How far the nearest number may be from one, of the number; 0 where nothing is rounded.
template <class Stored>
constexpr double rounding = 0;
template <>
inline constexpr double rounding<Float16> = 0x1p-11;
template <>
inline constexpr double rounding<Bfloat16> = 0x1p-8;

}  // namespace
}  // namespace rnnfast
