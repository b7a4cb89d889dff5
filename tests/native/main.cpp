// Runs every native test, or those whose names begin with a word that is given; the last line is
// read by pytest and by people.
#include "check.hpp"

int main(int count, char** words) {
  using namespace rnnfast;
  const std::string wanted = count > 1 ? words[1] : "";
  std::printf("targets:");
  for (const Target* target : available_targets()) std::printf(" %s", target->name);
  std::printf("\n");
  int passed = 0;
  int failed = 0;
  for (const testing::Case& test : testing::cases()) {
    if (test.name.compare(0, wanted.size(), wanted) != 0) continue;
    const int before = testing::failures();
    test.body();
    const bool right = testing::failures() == before;
    ++(right ? passed : failed);
    std::printf("%s %s\n", right ? "ok    " : "FAILED", test.name.c_str());
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
