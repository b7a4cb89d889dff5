#include "serving/pool.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

namespace rnnfast {
namespace {

// Whole tiles of six rows or of eight. More at once would gain little, and their slots leave L2.
// Fewer take some steps at once, whose input product is made of as many rows.
constexpr index rows_at_once = 96;

index checked(index capacity) {
  if (capacity >= 1) return capacity;
  throw std::invalid_argument("capacity must be at least 1, got " + std::to_string(capacity));
}

}  // namespace

Pool::Pool(std::shared_ptr<const Model> model, index capacity)
    : streams_(std::move(model), checked(capacity), 1, rows_at_once),
      which_(static_cast<std::size_t>(capacity)),
      turns_(static_cast<std::size_t>(capacity)),
      staging_(rows_at_once, streams_.model().inputs(), streams_.model().outputs(),
               streams_.model().scalar()),
      mask_(static_cast<index>(std::bit_ceil(static_cast<std::size_t>(capacity))) - 1) {
  for (index i = 0; i < capacity; ++i) {
    slots_.push_back({i, false, 0});
    free_.push_back(capacity - 1 - i);
  }
}

index Pool::open() noexcept {
  if (free_.empty()) return -1;
  Slot& found = slot(free_.back());
  free_.pop_back();
  found.open = true;
  reset(found.id);
  return found.id;
}

bool Pool::close(index id) noexcept {
  if (!is_open(id)) return false;
  Slot& closed = slot(id);
  closed.open = false;
  closed.id += mask_ + 1;
  free_.push_back(id & mask_);
  return true;
}

bool Pool::is_open(index id) const noexcept {
  return id >= 0 && (id & mask_) < capacity() && slot(id).open && slot(id).id == id;
}

PoolStep Pool::look_up(const index* ids, index count) noexcept {
  ++steps_;
  for (index i = 0; i < count; ++i) {
    const index id = ids[i];  // once: what is looked up is what is used
    if (!is_open(id)) return {PoolStep::not_open, i};
    Slot& stepping = slot(id);
    if (stepping.stepped == steps_) return {PoolStep::twice, i};
    stepping.stepped = steps_;
    which_[static_cast<std::size_t>(i)] = id & mask_;
  }
  return {PoolStep::done, 0};
}

PoolStep Pool::run(const index* ids, index count, const PoolRun& next) noexcept {
  const PoolStep found = look_up(ids, count);
  if (found.outcome != PoolStep::done) return found;
  const PoolStep lined_up = next.lengths ? line_up(count, next) : found;
  if (lined_up.outcome != PoolStep::done) return lined_up;
  for (index row = 0; row < count; row += rows_at_once) {
    const Span some = {row, std::min(row + rows_at_once, count)};
    next.lengths ? take_turns(some, next) : take_rows(some, next);
  }
  return found;
}

/// Sorts them by the steps they take, and clears the rows of y that no step writes.
PoolStep Pool::line_up(index count, const PoolRun& next) noexcept {
  const auto turns = turns_.begin();
  for (index i = 0; i < count; ++i) {
    const index length = next.lengths[i];  // once, as the ids
    if (length < 0 || length > next.steps) return {PoolStep::no_length, i};
    turns[i] = {which_[static_cast<std::size_t>(i)], i, length};
  }
  std::sort(turns, turns + count, [](const Turn& a, const Turn& b) {
    return a.length != b.length ? a.length > b.length : a.row < b.row;
  });
  for (index i = 0; i < count; ++i) {
    which_[static_cast<std::size_t>(i)] = turns[i].stream;
    for (index step = turns[i].length; step < next.steps; ++step) {
      staging_.clear(next.y, step, turns[i].row);
    }
  }
  return {PoolStep::done, 0};
}

/// All steps of some rows as they lie at the caller's.
void Pool::take_rows(Span rows, const PoolRun& next) noexcept {
  const ScalarType scalar = model().scalar();
  const index at_once = rows_at_once / rows.size();
  for (index step = 0; step < next.steps; step += at_once) {
    streams_.take({std::min(at_once, next.steps - step), rows.size(),
                   beginning(next.x, step, rows.begin, scalar),
                   beginning(next.y, step, rows.begin, scalar), which_.data() + rows.begin});
  }
}

/// All steps of some turns: of fewer and fewer, as the shorter ones end.
void Pool::take_turns(Span turns, const PoolRun& next) noexcept {
  index step = 0;
  while (turns.size() > 0) {
    const index shortest = turns_[static_cast<std::size_t>(turns.end - 1)].length;
    if (shortest == step) {
      --turns.end;
      continue;
    }
    const index end = std::min(shortest, step + rows_at_once / turns.size());
    take_together(turns, {step, end}, next);
    step = end;
  }
}

/// Some steps that all of some turns take.
void Pool::take_together(Span turns, Span steps, const PoolRun& next) noexcept {
  const index rows = turns.size();
  const auto each = [&](auto&& body) {
    for (index step = steps.begin, number = 0; step < steps.end; ++step) {
      for (index turn = turns.begin; turn < turns.end; ++turn, ++number) {
        body(number, step, turns_[static_cast<std::size_t>(turn)].row);
      }
    }
  };
  each([&](index number, index step, index row) { staging_.bring(next.x, step, row, number); });
  streams_.take(
      {steps.size(), rows, staging_.x(rows), staging_.y(rows), which_.data() + turns.begin});
  each([&](index number, index step, index row) { staging_.deal(number, next.y, step, row); });
}

}  // namespace rnnfast
