// Passes that come again. A launch costs a stream some microseconds, a graph of many launches a
// third of that for each: the launches of a pass are recorded, and played again when the same call
// comes. Which call it is, a CallKey says: all that launches depend on, the numbers in the caller's
// arrays aside.
//
// A pass is recorded when it comes for the second time, so that one whose sizes or addresses never
// repeat costs no more than its launches, and all kernels have been loaded before.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <list>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "call/passes.hpp"

namespace rnnfast {

class CallKey {
 public:
  /// `of_pass` is an address that no other function has.
  explicit CallKey(const void* of_pass) { add(of_pass); }

  template <class N>
  void add(const N* pointer) {
    words_.push_back(std::bit_cast<std::uintptr_t>(pointer));
  }
  void add(index number) { words_.push_back(static_cast<std::uint64_t>(number)); }
  void add(double number) { words_.push_back(std::bit_cast<std::uint64_t>(number)); }

  void add(const Dims& of) { add_all(of.steps, of.rows, of.inputs, of.units, of.projection); }
  template <class T>
  void add(const Sequence<T>& of) {
    add_all(of.data, of.step_stride, of.row_stride);
  }
  template <class T>
  void add(const States<T>& of) {
    add_all(of.h, of.c);
  }
  template <class T>
  void add(const WeightSet<T>& of) {
    for (T* const array : of.arrays) add(array);
  }
  template <class T>
  void add(const Masks<T>& of) {
    add_all(of.recurrent, of.kept_h, of.kept_c);
  }
  void add(const SequenceRow& of) { add_all(of.sequence, of.rank, of.first, of.length); }
  void add(const ActivationChoice& of) {
    add_all(static_cast<index>(of.function), of.alpha, of.beta, of.lowest, of.highest, of.clip);
  }
  /// `count` things; null: none.
  template <class N>
  void add(const N* of, index count) {
    add(index{of != nullptr});
    for (index i = 0; of && i < count; ++i) add(of[i]);
  }

  template <class... Parts>
  void add_all(const Parts&... parts) {
    (add(parts), ...);
  }

  bool operator==(const CallKey&) const = default;

 private:
  std::vector<std::uint64_t> words_;
};

/// The latest passes of a stream, and graphs of those that came again.
template <class Graph>
class Recordings {
 public:
  explicit Recordings(std::size_t most = 16) : most_(most) {}

  /// What body() launches: played by `recorder.play(graph)` if the pass has come before, launched
  /// at once if not. `recorder.record(body)` gives a graph of it, and has launched nothing; a
  /// std::runtime_error of it, other than body()'s, means that there can be none.
  template <class Recorder, class Body>
  void run(const CallKey& key, Recorder& recorder, Body&& body) {
    const auto found = std::find_if(latest_.begin(), latest_.end(),
                                    [&](const Pass& pass) { return pass.key == key; });
    if (found == latest_.end()) {
      body();
      remember(key);
      return;
    }
    latest_.splice(latest_.begin(), latest_, found);
    if (!found->graph && can_record_) record(*found, recorder, body);
    found->graph ? recorder.play(*found->graph) : body();
  }

  void forget() { latest_.clear(); }

  /// How many there are.
  std::size_t graphs() const {
    return static_cast<std::size_t>(std::count_if(
        latest_.begin(), latest_.end(), [](const Pass& pass) { return pass.graph.has_value(); }));
  }

 private:
  struct Pass {
    CallKey key;
    std::optional<Graph> graph;
  };

  void remember(const CallKey& key) {
    latest_.push_front({key, {}});
    if (latest_.size() > most_) latest_.pop_back();
  }

  template <class Recorder, class Body>
  void record(Pass& pass, Recorder& recorder, Body&& body) {
    try {
      pass.graph.emplace(recorder.record(body));
    } catch (const std::runtime_error&) {
      can_record_ = false;  // body() goes without, and says so itself if it is at fault
    }
  }

  std::size_t most_;
  bool can_record_ = true;
  std::list<Pass> latest_;  // the last one first
};

}  // namespace rnnfast
