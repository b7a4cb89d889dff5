// Whole sequences by persistent kernels, against the same by the CPU's.
#pragma once

#include "way_checks.hpp"

namespace rnnfast {
namespace {

/// Where all rows take all steps, and where rows end one after the other and some never begin.
template <class Stream, class Stored, class Cell>
void check_ragged(const char* name, const Dims& dims) {
  Sequences<Reference<Stored>> of(CellSpec(name), dims);
  check_passes<Stream, Stored, Cell>(of);
  for (index b = 0; b < dims.rows; ++b) {
    const index begin = b % 2;
    of.spans.push_back(begin);
    of.spans.push_back(begin + (b + 1) % dims.steps);
  }
  check_passes<Stream, Stored, Cell>(of);
}

template <class Stream, class Stored, class Cell>
void check_cell(const char* name) {
  check_options<Stream, Stored, Cell>(CellSpec(name));
}

}  // namespace
}  // namespace rnnfast
