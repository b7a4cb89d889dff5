#include <algorithm>

#include "api/cell_spec.hpp"
#include "cpu/dispatch/dispatch.hpp"

namespace rnnfast {
namespace {

// A list has the same cells in every scalar type.
CellTable<float> fixed_cells() { return target().single.fixed; }
CellTable<float> chosen_cells() { return target().single.chosen; }

bool is_there(const InferenceKernels<float>& kernels) { return kernels.pack; }

}  // namespace

std::vector<KnownCell> known_cells() {
  const FormatKernels<float>& sparse = target().sparse.single;
  std::vector<KnownCell> known;
  for (int i = 0; i < fixed_cells().count; ++i) {
    const CellKernels<float>& cell = fixed_cells().cells[i];
    known.push_back({cell.name, cell.traits, true, false, is_there(sparse.fixed[i])});
  }
  for (int i = 0; i < chosen_cells().count; ++i) {
    const CellKernels<float>& cell = chosen_cells().cells[i];
    const auto same = std::find_if(known.begin(), known.end(), [&](const KnownCell& one) {
      return std::string_view(one.name) == cell.name;
    });
    if (same == known.end()) {
      known.push_back({cell.name, cell.traits, false, true, is_there(sparse.chosen[i])});
    } else {
      same->chosen = true;
    }
  }
  return known;
}

}  // namespace rnnfast
