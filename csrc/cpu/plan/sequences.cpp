#include "cpu/plan/sequences.hpp"

#include <algorithm>
#include <cassert>

namespace rnnfast {

std::vector<SequenceRow> deal_sequences(const index* spans, const PlanSegment& plan) {
  std::vector<SequenceRow> ranked;
  for (index b = 0; b < plan.rows; ++b) {
    assert(0 <= spans[2 * b] && spans[2 * b] <= spans[2 * b + 1] && spans[2 * b + 1] <= plan.end);
    ranked.push_back({b, 0, spans[2 * b], spans[2 * b + 1] - spans[2 * b]});
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const SequenceRow& a, const SequenceRow& b) { return a.length > b.length; });
  // Like cards, one to each share until all blocks are full, but there and back in turn, so that
  // nobody has the longer one every time.
  std::vector<SequenceRow> rows(ranked.size());
  const index shares = plan.partition == Partition::rows ? plan.threads : 1;
  index rank = 0;
  for (index place = 0; rank < plan.rows; ++place) {
    for (index i = 0; i < shares; ++i) {
      const index owner = place % 2 ? shares - 1 - i : i;
      const Span block = share(plan.rows, owner, shares);
      if (place >= block.size()) continue;
      SequenceRow row = ranked[static_cast<std::size_t>(rank)];
      row.rank = rank++;
      rows[static_cast<std::size_t>(block.begin + place)] = row;
    }
  }
  return rows;
}

}  // namespace rnnfast
