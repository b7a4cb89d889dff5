// Runs every native test; the last line is read by pytest and by people.
#include "check.hpp"

int main() {
  using namespace rnnfast;
  std::printf("targets:");
  for (const Target* target : available_targets()) std::printf(" %s", target->name);
  std::printf("\n");
  int failed = 0;
  for (const testing::Case& test : testing::cases()) {
    const int before = testing::failures();
    test.body();
    const bool passed = testing::failures() == before;
    failed += !passed;
    std::printf("%s %s\n", passed ? "ok    " : "FAILED", test.name.c_str());
  }
  std::printf("%d passed, %d failed\n", static_cast<int>(testing::cases().size()) - failed, failed);
  return failed == 0 ? 0 : 1;
}
