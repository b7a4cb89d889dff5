// A launch of a kernel: its threads are fibers, which run from barrier to barrier in an order that
// a seed draws. What is wrong is written down, each kind once, and a barrier that not all reach
// ends the launch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "cuda/machine.hpp"
#include "fiber.hpp"
#include "memory.hpp"

namespace rnnfast::emulation {

struct LaunchSizes {
  int blocks;
  int threads;  // of a block
  int cluster = 1;
  int shared_bytes = 0;
  unsigned seed = 1;
};

/// What the lanes of a warp show each other.
struct Lane {
  std::uint64_t value;
  std::uint32_t a[4];
  std::uint32_t b[2];
};

struct Block {
  std::vector<std::byte> bytes;
  std::vector<Word> words;  // one for two bytes, the shortest number
  std::vector<Lane> lanes;
};

class Launch {
 public:
  Launch(Memory& memory, const LaunchSizes& sizes)
      : memory(memory), sizes(sizes), blocks(static_cast<std::size_t>(sizes.blocks)) {
    for (Block& block : blocks) {
      block.bytes.assign(static_cast<std::size_t>(sizes.shared_bytes), std::byte{0xff});
      block.words.resize(block.bytes.size() / 2);
      block.lanes.resize(static_cast<std::size_t>(sizes.threads));
    }
    for (int scope = 0; scope < scopes; ++scope) {
      meetings_[scope].resize(static_cast<std::size_t>(group_of(count() - 1, scope)) + 1);
    }
  }

  Memory& memory;
  const LaunchSizes sizes;
  std::vector<Block> blocks;
  std::vector<std::string> faults;

  int count() const { return sizes.blocks * sizes.threads; }

  Moment now(int thread) const {
    Moment moment = {thread, {}, {}};
    for (int scope = 0; scope < scopes; ++scope) {
      moment.group[scope] = group_of(thread, scope);
      moment.meetings[scope] = meetings_[scope][static_cast<std::size_t>(moment.group[scope])];
    }
    return moment;
  }

  /// `what` is wrong with `where`.
  void fault(const char* what, const char* where) {
    std::string text = what;
    text += ": ";
    text += where;
    if (std::find(faults.begin(), faults.end(), text) == faults.end()) faults.push_back(text);
  }

  /// Whether a block's shared memory is there for a thread: one of the same cluster that must have
  /// begun, since they have met, and has not ended.
  bool reaches(int thread, int block) const {
    const int own = thread / sizes.threads;
    if (block == own) return true;
    if (block < 0 || block >= sizes.blocks || block / sizes.cluster != own / sizes.cluster) {
      return false;
    }
    const auto first = threads_.begin() + block * sizes.threads;
    return now(thread).meetings[static_cast<int>(Scope::cluster)] > 0 &&
           std::none_of(first, first + sizes.threads,
                        [](const Running& one) { return one.fiber->done(); });
  }

  /// Until all of the thread's group are at the same place.
  void wait(int thread, Scope scope, int line) {
    Running& own = threads_[static_cast<std::size_t>(thread)];
    own.waits = true;
    own.scope = scope;
    own.line = line;
    own.fiber->pause();
  }

  /// body(thread) for all of them.
  template <class Body>
  void run(Body&& body) {
    for (int thread = 0; thread < count(); ++thread) {
      threads_.push_back({std::make_unique<Fiber>([&body, thread] { body(thread); })});
    }
    std::vector<std::size_t> turn(threads_.size());
    std::iota(turn.begin(), turn.end(), std::size_t{0});
    std::mt19937 order(sizes.seed);
    while (!std::all_of(threads_.begin(), threads_.end(),
                        [](const Running& one) { return one.fiber->done(); })) {
      std::shuffle(turn.begin(), turn.end(), order);
      for (const std::size_t thread : turn) {
        Running& one = threads_[thread];
        if (!one.waits && !one.fiber->done()) one.fiber->resume();
      }
      if (!open_barriers()) break;
    }
  }

 private:
  struct Running {
    std::unique_ptr<Fiber> fiber;
    bool waits = false;
    Scope scope = Scope::warp;
    int line = 0;
  };

  int group_of(int thread, int scope) const {
    const int block = thread / sizes.threads;
    switch (static_cast<Scope>(scope)) {
      case Scope::warp:
        return block * static_cast<int>(ceil_div(sizes.threads, warp_lanes)) +
               thread % sizes.threads / warp_lanes;
      case Scope::block:
        return block;
      case Scope::cluster:
        return block / sizes.cluster;
      case Scope::grid:
        return 0;
    }
    return 0;
  }

  /// Lets those go on who are complete; false if somebody waits in vain.
  bool open_barriers() {
    bool opened = false;
    bool waiting = false;
    for (int scope = 0; scope < scopes; ++scope) {
      std::vector<int> here(meetings_[scope].size());
      std::vector<int> members(meetings_[scope].size());
      std::vector<int> line(meetings_[scope].size());
      for (int thread = 0; thread < count(); ++thread) {
        const auto group = static_cast<std::size_t>(group_of(thread, scope));
        const Running& one = threads_[static_cast<std::size_t>(thread)];
        ++members[group];
        if (!one.waits || static_cast<int>(one.scope) != scope) continue;
        if (here[group]++ && line[group] != one.line)
          fault("barrier", "its threads are at two places");
        line[group] = one.line;
      }
      for (int thread = 0; thread < count(); ++thread) {
        const auto group = static_cast<std::size_t>(group_of(thread, scope));
        Running& one = threads_[static_cast<std::size_t>(thread)];
        if (!one.waits || static_cast<int>(one.scope) != scope) continue;
        waiting = true;
        if (here[group] < members[group]) continue;
        one.waits = false;
        opened = true;
      }
      for (std::size_t group = 0; group < here.size(); ++group) {
        meetings_[scope][group] += here[group] == members[group];
      }
    }
    if (waiting && !opened) fault("barrier", "not all reach it");
    return opened || !waiting;
  }

  std::vector<Running> threads_;
  std::vector<int> meetings_[scopes];
};

}  // namespace rnnfast::emulation
