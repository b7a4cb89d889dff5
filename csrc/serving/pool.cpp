#include "serving/pool.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

namespace rnnfast {
namespace {

// Whole tiles of six rows or of eight. More at once would gain little, and their slots leave L2.
constexpr index rows_at_once = 96;

index checked(index capacity) {
  if (capacity >= 1) return capacity;
  throw std::invalid_argument("capacity must be at least 1, got " + std::to_string(capacity));
}

}  // namespace

Pool::Pool(std::shared_ptr<const Model> model, index capacity)
    : streams_(std::move(model), checked(capacity), 1, std::min(capacity, rows_at_once)),
      which_(static_cast<std::size_t>(capacity)),
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

PoolStep Pool::step(const index* ids, index count, Sequence<const void> x,
                    Sequence<void> y) noexcept {
  const PoolStep found = look_up(ids, count);
  if (found.outcome != PoolStep::done) return found;
  const ScalarType scalar = model().scalar();
  for (index row = 0; row < count; row += rows_at_once) {
    streams_.take({1, std::min(rows_at_once, count - row), beginning(x, 0, row, scalar),
                   beginning(y, 0, row, scalar), which_.data() + row});
  }
  return found;
}

}  // namespace rnnfast
