// The cells that take a call's choice of activations: the include of the second file of each
// target.
#pragma once

#include "cells/registry.hpp"
#include "cpu/targets/kernels.hpp"

namespace rnnfast {
namespace {

#define RNNFAST_TABLE_ENTRY(name, ...) Kernels<__VA_ARGS__, T>::table(name),
template <class T>
constexpr CellKernels<T> chosen_tables[] = {RNNFAST_CHOSEN_CELLS(RNNFAST_TABLE_ENTRY)};
#undef RNNFAST_TABLE_ENTRY

template <class T>
constexpr CellTable<T> chosen_cells() {
  return {chosen_tables<T>, static_cast<int>(sizeof(chosen_tables<T>) / sizeof(CellKernels<T>))};
}

}  // namespace
}  // namespace rnnfast
