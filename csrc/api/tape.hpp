// What a forward pass keeps for its backward passes: all, or checkpoints where its plan was made
// for them. It aliases no array of the caller but memory that the caller lends it, and is never
// changed.
#pragma once

#include <memory>
#include <vector>

#include "api/header.hpp"
#include "base/arena.hpp"
#include "call/passes.hpp"

namespace rnnfast {

/// Where a tape lies: in an arena of its own, in memory of a host, which keeps it as long as the
/// tape lives, or in a device's.
class TapeMemory {
 public:
  explicit TapeMemory(std::size_t bytes) : own_(bytes), data_(own_.data()), bytes_(own_.size()) {}
  /// `lent` begins on a cache line.
  TapeMemory(char* lent, std::size_t bytes) : data_(lent), bytes_(bytes) {}
  TapeMemory(std::shared_ptr<char> of_device, std::size_t bytes)
      : of_device_(std::move(of_device)), data_(of_device_.get()), bytes_(bytes) {}

  char* data() { return data_; }
  const char* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  Arena own_;  // none where the memory is lent, or a device's
  std::shared_ptr<char> of_device_;
  char* data_;
  std::size_t bytes_;
};

class Tape {
 public:
  /// `header` has a plan.
  Tape(const Header& header, std::vector<SequenceRow> rows, TapeMemory saved)
      : header_(header), rows_(std::move(rows)), saved_(std::move(saved)) {}

  const Header& header() const { return header_; }
  const char* data() const { return saved_.data(); }
  std::size_t bytes() const { return saved_.bytes(); }
  /// The private rows; null where each is a sequence that takes all steps.
  const SequenceRow* rows() const { return rows_.empty() ? nullptr : rows_.data(); }

 private:
  Header header_;
  std::vector<SequenceRow> rows_;
  TapeMemory saved_;
};

}  // namespace rnnfast
