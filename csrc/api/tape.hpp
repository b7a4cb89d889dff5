// What a forward pass keeps for its backward passes: all, or checkpoints where its plan was made
// for them. It aliases no array of the caller, and is never changed.
#pragma once

#include <vector>

#include "api/header.hpp"
#include "base/arena.hpp"
#include "call/passes.hpp"

namespace rnnfast {

class Tape {
 public:
  /// `header` has a plan.
  Tape(const Header& header, std::vector<SequenceRow> rows, Arena saved)
      : header_(header), rows_(std::move(rows)), saved_(std::move(saved)) {}

  const Header& header() const { return header_; }
  const char* data() const { return saved_.data(); }
  std::size_t bytes() const { return saved_.size(); }
  /// The private rows; null where each is a sequence that takes all steps.
  const SequenceRow* rows() const { return rows_.empty() ? nullptr : rows_.data(); }

 private:
  Header header_;
  std::vector<SequenceRow> rows_;
  Arena saved_;
};

}  // namespace rnnfast
