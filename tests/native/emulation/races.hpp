// Two threads race if both touch a word, one of them writes, and no barrier that both were at came
// between. So it is a race whatever the order was in which they did.
#pragma once

#include <optional>
#include <vector>

namespace rnnfast::emulation {

/// Who may meet at a barrier, from few to many.
enum class Scope { warp, block, cluster, grid };
constexpr int scopes = 4;

/// A thread, the groups that it is in, and how often each of these has met.
struct Moment {
  int thread;
  int group[scopes];
  int meetings[scopes];
};

/// Whether a barrier came between a moment and a later one.
inline bool before(const Moment& a, const Moment& b) {
  if (a.thread == b.thread) return true;
  for (int scope = 0; scope < scopes; ++scope) {
    if (a.group[scope] == b.group[scope] && a.meetings[scope] != b.meetings[scope]) return true;
  }
  return false;
}

/// What is known of a word of memory. Functions say whether there was a race.
class Word {
 public:
  bool written = false;
  bool arriving = false;  // a copy is on its way here

  bool read(const Moment& now) {
    // One that came before this read also comes before whatever this comes before.
    std::erase_if(reads_, [&](const Moment& read) { return before(read, now); });
    reads_.push_back(now);
    return write_ && !before(*write_, now);
  }

  bool write(const Moment& now) {
    bool raced = write_ && !before(*write_, now);
    for (const Moment& read : reads_) raced |= !before(read, now);
    reads_.clear();
    write_ = now;
    written = true;
    return raced;
  }

  /// All of it was before what comes now.
  void launch() {
    write_.reset();
    reads_.clear();
  }

 private:
  std::optional<Moment> write_;
  std::vector<Moment> reads_;
};

}  // namespace rnnfast::emulation
