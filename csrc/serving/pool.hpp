// Many streams of a model, any of which take their next step together: weights are read once for
// all of them.
//
// A session is known by its id. It has a row of each state, which the kernels read and write where
// it lies, and its bits depend neither on the others nor on how many there may be. Ids are never
// given twice: who steps a session that was closed is told so, and reads nobody else's state.
//
// As with a session, the caller's thread does the work, one at a time, and nothing is allocated,
// locked or waited for once a pool is made.
#pragma once

#include "serving/row_staging.hpp"
#include "serving/streams.hpp"

namespace rnnfast {

/// What became of steps, and of which of their sessions that is said.
struct PoolStep {
  enum Outcome { done, not_open, twice, no_length };
  Outcome outcome;
  index at;
};

/// The next T steps of some sessions, or fewer of some of them.
struct PoolRun {
  index steps;
  Sequence<const void> x;          // (T, count, I)
  Sequence<void> y;                // (T, count, R), where x is not; zero after a session's last
  const index* lengths = nullptr;  // (count,), from 0 to T; null: all take T
};

class Pool {
 public:
  /// Of at most `capacity` sessions. Throws std::invalid_argument for less than one,
  /// std::bad_alloc.
  Pool(std::shared_ptr<const Model> model, index capacity);

  const Model& model() const { return streams_.model(); }
  std::size_t bytes() const { return streams_.bytes() + staging_.bytes(); }
  index capacity() const { return streams_.count(); }
  index size() const { return capacity() - static_cast<index>(free_.size()); }

  /// The id of a session with a state of zero; negative if the pool is full.
  index open() noexcept;
  /// Returns whether it was open.
  bool close(index id) noexcept;
  bool is_open(index id) const noexcept;

  /// y (count, R) of the next step of some sessions, from x (count, I), whose strides between rows
  /// are free. Unless it is done nothing has changed.
  PoolStep step(const index* ids, index count, Sequence<const void> x, Sequence<void> y) noexcept {
    return run(ids, count, {1, x, y});
  }
  /// The same of several steps.
  PoolStep run(const index* ids, index count, const PoolRun& next) noexcept;

  /// h and c of an open session in a layer, which are the caller's to read and to write.
  States<void> state(index layer, index id) const noexcept {
    return streams_.state(layer, id & mask_);
  }
  void reset(index id) noexcept { streams_.reset(id & mask_); }

 private:
  struct Slot {
    index id;  // of its session, or of the next one that it will have
    bool open;
    unsigned long long stepped;  // the number of the last step it took part in
  };

  /// A session in a run: its stream, its row of x and of y, and how many steps it takes.
  struct Turn {
    index stream;
    index row;
    index length;
  };

  PoolStep look_up(const index* ids, index count) noexcept;
  PoolStep line_up(index count, const PoolRun& next) noexcept;
  void take_rows(Span rows, const PoolRun& next) noexcept;
  void take_turns(Span turns, const PoolRun& next) noexcept;
  void take_together(Span turns, Span steps, const PoolRun& next) noexcept;
  const Slot& slot(index id) const { return slots_[static_cast<std::size_t>(id & mask_)]; }
  Slot& slot(index id) { return slots_[static_cast<std::size_t>(id & mask_)]; }

  Streams streams_;
  std::vector<Slot> slots_;
  std::vector<index> free_;   // slots; room for all
  std::vector<index> which_;  // streams of a step
  std::vector<Turn> turns_;   // of a run in which some take fewer, those that take most first
  RowStaging staging_;
  index mask_;  // which bits of an id are the number of its slot
  unsigned long long steps_ = 0;
};

}  // namespace rnnfast
