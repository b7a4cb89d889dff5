// Quotas of nested cgroups: the smallest on the way up counts.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/cores.hpp"
#include "check.hpp"

namespace rnnfast {
namespace {

namespace fs = std::filesystem;

class Groups {
 public:
  Groups() : root_(fs::temp_directory_path() / ("rnnfast-groups-" + std::to_string(::getpid()))) {
    fs::create_directories(root_ / "system.slice" / "app.service");
  }
  ~Groups() { fs::remove_all(root_); }

  void quota(const std::string& group, const std::string& text) const {
    std::ofstream(root_ / group / "cpu.max") << text << "\n";
  }
  double cores(const std::string& own) const {
    std::ofstream(root_ / "own") << "3:cpu:/elsewhere\n" << own << "\n";
    return cgroup_cores(root_.string(), (root_ / "own").string());
  }

 private:
  fs::path root_;
};

TEST(the_smallest_quota_on_the_way_up_counts) {
  const Groups groups;
  const std::string own = "0::/system.slice/app.service";
  CHECK(groups.cores(own) > 1e6, "%f cores without a quota", groups.cores(own));
  groups.quota("system.slice/app.service", "150000 100000");
  CHECK(groups.cores(own) == 1.5, "%f of the unit's own", groups.cores(own));
  groups.quota("system.slice", "max 100000");
  groups.quota("", "300000 100000");
  CHECK(groups.cores(own) == 1.5, "%f below a wider one", groups.cores(own));
  groups.quota("system.slice", "50000 100000");
  CHECK(groups.cores(own) == 0.5, "%f below a narrower one", groups.cores(own));
  CHECK(groups.cores("0::/") == 3, "%f at the root", groups.cores("0::/"));
  CHECK(groups.cores("0::/not/mounted/here") == 3, "%f of a group of another namespace",
        groups.cores("0::/not/mounted/here"));
  groups.quota("", "nonsense");
  CHECK(groups.cores("0::/") > 1e6, "%f of nonsense", groups.cores("0::/"));
}

}  // namespace
}  // namespace rnnfast
