// The team: everyone meets, nobody is lost, more threads than cores still finish.
#include <algorithm>
#include <vector>

#include "base/threads.hpp"
#include "check.hpp"

namespace rnnfast {
namespace {

TEST(workers_meet_in_step) {
  for (const int threads : {1, 2, 3, 8}) {
    std::vector<int> steps(static_cast<std::size_t>(threads), 0);
    std::vector<int> behind(static_cast<std::size_t>(threads), 0);
    int started = 0;
    team(threads, [&](Worker& worker) {
      const auto id = static_cast<std::size_t>(worker.id);
      if (worker.id == 0) started = worker.count;
      for (int step = 1; step <= 200; ++step) {
        steps[id] = step;
        worker.meet();
        for (int other = 0; other < worker.count; ++other) {
          behind[id] += steps[static_cast<std::size_t>(other)] != step;
        }
        worker.meet();
      }
    });
    CHECK(started == (has_openmp() ? threads : 1), "%d of %d started", started, threads);
    CHECK(std::count(behind.begin(), behind.end(), 0) == threads, "someone ran ahead of %d threads",
          threads);
  }
}

TEST(workers_follow_each_other) {
  for (const int threads : {1, 2, 3, 8}) {
    std::vector<std::vector<int>> written(static_cast<std::size_t>(threads));
    for (auto& pieces : written) pieces.assign(200, 0);
    int wrong = 0;
    team(threads, [&](Worker& worker) {
      const auto id = static_cast<std::size_t>(worker.id);
      int missing = 0;
      for (std::size_t piece = 0; piece < 200; ++piece) {
        if (worker.id > 0) {
          worker.follow(worker.id - 1);
          missing += written[id - 1][piece] != worker.id;
        }
        written[id][piece] = worker.id + 1;
        worker.finish();
      }
      worker.meet();
      if (worker.id + 1 == worker.count) wrong = missing;
    });
    CHECK(wrong == 0, "%d pieces were not there yet, with %d threads", wrong, threads);
  }
}

TEST(shares_cover_everything_once) {
  for (const index count : {0, 1, 5, 64}) {
    for (const int workers : {1, 2, 3, 7}) {
      index next = 0;
      for (int id = 0; id < workers; ++id) {
        const Span own = share(count, id, workers);
        CHECK(own.begin == next && own.end >= own.begin, "%d of %d", id, workers);
        next = own.end;
      }
      CHECK(next == count, "%d shared by %d", static_cast<int>(count), workers);
    }
  }
}

}  // namespace
}  // namespace rnnfast
