// The product alone, as far as layouts and weights ask: h = W m, a projection of what a cell gives
// (cpu/epilogue/projection.hpp).
#pragma once

#include "cells/cell.hpp"

namespace rnnfast {
namespace {

struct Linear {
  static constexpr int parts = 1;
  static constexpr int gate_of[parts] = {0};
  static constexpr Range phase[1] = {{0, 1}};
};

}  // namespace
}  // namespace rnnfast
