// An exchange by the device's memory: what blocks show each other, h going forward and deltas
// going back, they write where the pass keeps it anyway, at a place of its own for each step, and
// meet at the grid's barrier. So nothing is written twice, nor overwritten while somebody reads.
#pragma once

#include "cuda/persistent/engine.hpp"

namespace rnnfast {
namespace {

template <class Machine, class Stored>
class GridExchange {
 public:
  RNNFAST_BOTH static int shared_bytes(int, index) { return 0; }

  RNNFAST_BOTH GridExchange(Machine&, int, const Share&, int, index) {}

  RNNFAST_BOTH void begin(Machine&, const RowsInMemory<Stored>&, index) const {}
  RNNFAST_BOTH void publish(Machine&, index, index, Stored) const {}
  RNNFAST_BOTH void meet(Machine& m) const { m.sync_grid(); }
  RNNFAST_BOTH RowsInMemory<Stored> operand(Machine&, const RowsInMemory<Stored>& kept) const {
    return kept;
  }
};

}  // namespace
}  // namespace rnnfast
