// How the blocks of a persistent launch divide a step. R lies on the chip for all steps of a
// launch: each block keeps what of it belongs to some units, its share, and takes these units of
// some rows at every step. With S shares and G groups there are S G blocks:
//
//                   share 0     share 1    ...   share S-1
//                   +-----------+-----------+-----------+
//   group 0         |  block 0  |  block 1  |           |     rows of chunks 0, G, 2G, ...
//   group 1         |  block S  |           |           |     rows of chunks 1, G + 1, ...
//                   +-----------+-----------+-----------+
//                     U units     U units     the rest
//
// A chunk is as many adjacent rows as a block takes at once. Rows stand longest sequence first, so
// that groups run out of rows at about the same step.
#pragma once

#include "cuda/machine.hpp"

namespace rnnfast {
namespace {

struct Division {
  index rows;        // B
  index units;       // H
  index own;         // U, of a share
  index shares;      // S
  index groups;      // G
  index chunk_rows;  // a multiple of 8

  index blocks() const { return shares * groups; }
  /// Of a group, at most.
  RNNFAST_BOTH index group_rows() const {
    return ceil_div(ceil_div(rows, chunk_rows), groups) * chunk_rows;
  }
};

/// What a block has of it.
struct Share {
  index first;   // of its units
  index units;   // U, or fewer, or none
  index all;     // H
  index begin;   // of its first chunk
  index stride;  // from the beginning of a chunk to that of its next
  index chunk_rows;

  template <class Machine>
  RNNFAST_BOTH Share(const Machine& m, const Division& of)
      : first(m.block() % of.shares * of.own),
        units(larger(smaller(of.own, of.units - first), 0)),
        all(of.units),
        begin(m.block() / of.shares * of.chunk_rows),
        stride(of.groups * of.chunk_rows),
        chunk_rows(of.chunk_rows) {}

  RNNFAST_BOTH Span chunk(index begin, index rows) const {
    return {begin, smaller(begin + chunk_rows, rows)};
  }
  /// Where a row of its own stands among all of these.
  RNNFAST_BOTH index local(index row) const { return row / stride * chunk_rows + row % chunk_rows; }

  /// How many units of rows a chunk has, and one of them: a thread takes every `threads`-th.
  RNNFAST_BOTH int elements(const Span& rows) const {
    return static_cast<int>(rows.size() * units);
  }
  RNNFAST_BOTH Element element(const Span& rows, int i, index all_units) const {
    return {rows.begin + row_of(i), first + unit_of(i), all_units};
  }
  RNNFAST_BOTH int row_of(int i) const { return i / static_cast<int>(units); }
  RNNFAST_BOTH int unit_of(int i) const { return i % static_cast<int>(units); }
};

}  // namespace
}  // namespace rnnfast
