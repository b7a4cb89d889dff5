// The team of a call: who does what, and who waits for whom.
//
// A plan deals work into shares, one for each worker that it counts on. The work is a list of
// stages, and a stage is over once all of its shares are done. Every worker goes through the whole
// list,
//
//   worker.stage([&](const Share& own) { ... });
//
// and is called back with the shares that it comes to do: its own, whose data its caches hold, and
// what is left of workers that are not there. So it makes no difference how many come, when, and
// whether they stay: one worker alone gets to the end, with the same bits. Nobody waits for a
// worker that has not come, only for a share that another has begun.
//
// Who works on a share holds it, and goes on holding its own from stage to stage, so that workers
// who keep up with each other meet as at a barrier: one flag each, on a cache line of its own,
// about 0.07 us. Who has to wait for long lets go of its share before it lets go of its core.
#pragma once

#include <cassert>

#include "base/dims.hpp"

namespace rnnfast {

class Worker;
struct Patience;
struct Team;

/// What a call ends with when the process is told to stop: its results are not complete.
struct Interrupted {};

namespace {

/// What one worker does of a stage.
struct Share {
  int id;
  int count;
  Worker* worker;  // who does it

  /// Its part of so many things.
  constexpr Span of(index things) const { return share(things, id, count); }
  /// Said between pieces of work, so much of which was done since: products, or what takes as long.
  /// Does not return if the call is to end.
  [[gnu::always_inline]] void worked(index products) const;
};

}  // namespace

class Worker {
 public:
  Worker() = default;  // alone
  /// Alone, and never asking whether to stop: for passes that may not wait.
  static Worker undisturbed();
  Worker(Team& team, int id);

  /// Calls body(share) until all shares of the next stage are done.
  template <class Body>
  void stage(Body&& body) {
    for (int at = first(); at >= 0; at = next()) body(Share{at, count(), this});
  }

  /// A stage whose shares, so many of them, go through stages of their own without meeting: those
  /// in `body` have the share at hand and no other. Who is alone takes one share after the other.
  template <class Body>
  void apart(int shares, Body&& body) {
    assert(inner_.there || shares == count_);
    if (inner_.there) {
      for (int at = 0; at < shares; ++at) within({at, shares, true}, Share{at, shares, this}, body);
    } else {
      for (int at = first(); at >= 0; at = next()) {
        within({at, shares, true}, Share{at, shares, this}, body);
      }
    }
  }

  /// A stage whose shares are work for one: stages in `body` have a single share.
  template <class Body>
  void alone(Body&& body) {
    for (int at = first(); at >= 0; at = next()) {
      within({0, 1, true}, Share{at, count_, this}, body);
    }
  }

  /// Calls body(share, piece) until every share has done `pieces` pieces in order, each once the
  /// share before it has. Stages in `body` have a single share.
  template <class Body>
  void relay(int pieces, Body&& body) {
    for (int piece = first_of(pieces); piece >= 0; piece = next_of(pieces)) {
      within({0, 1, true}, Share{at_, count_, this}, [&](const Share& own) { body(own, piece); });
    }
  }

  /// Whether it is the thread that calls.
  bool calls() const { return id_ == 0; }

  [[gnu::always_inline]] void worked(index products) {
    until_look_ -= products;
    if (until_look_ < 0) look();
  }

 private:
  friend class TeamRun;
  static constexpr index look_after = index{1} << 26;  // products: tens of milliseconds at most

  /// The share that stages are of while another one is at hand.
  struct Inner {
    int id;
    int count;
    bool there;
  };

  template <class Body>
  void within(const Inner& inner, const Share& own, Body&& body) {
    const Inner outer = inner_;
    inner_ = inner;
    body(own);
    inner_ = outer;
  }

  /// That it has said it has done.
  double products() const {
    return static_cast<double>(looks_ * look_after + (look_after - until_look_));
  }

  int count() const { return inner_.there ? inner_.count : count_; }
  int first();
  int next();
  int first_of(int pieces);
  int next_of(int pieces);
  int search(unsigned end, bool in_order);
  bool take(int share);
  void let_go(int share);
  void finish();
  void wait(Patience& patience);
  void look();
  void ask();

  Team* team_ = nullptr;
  int id_ = 0;  // and the number of its own share
  int count_ = 1;
  int at_ = 0;           // the share at hand
  unsigned before_ = 0;  // pieces that each share had done before this stage
  bool holds_ = false;   // its own share, also between stages
  bool eager_ = false;   // others are not there: it takes their shares at once
  Inner inner_ = {0, 1, false};
  index until_look_ = look_after;
  index looks_ = 0;
  unsigned pieces_ = 0;  // that it has done
  double waited_ns_ = 0;
  long long looked_ = 0;  // when it last asked whether to stop
};

namespace {

inline void Share::worked(index products) const { worker->worked(products); }

}  // namespace

using Job = void (*)(void* context, Worker& worker);

/// Runs `job`, whose stages have so many shares, on the caller and the helpers that there are.
/// Throws Interrupted if the call is to end, once nobody works on it any more.
void run_team(int shares, Job job, void* context);

/// The part of a helper; whether it stayed to the end.
bool help(Team& team, int id);

/// Asked by callers, some ten times a second: whether their calls are to end.
void ask_for_interrupts(bool (*interrupted)());

namespace {

template <class Body>
void team(int shares, Body&& body) {
  run_team(
      shares, [](void* context, Worker& worker) { (*static_cast<Body*>(context))(worker); }, &body);
}

}  // namespace
}  // namespace rnnfast
