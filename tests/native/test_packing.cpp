// Packing moves every element to its place, leaves none behind, and invents only zeros.
#include "check.hpp"

namespace rnnfast {
namespace {

using testing::Random;

TEST(lanes_are_packed_and_unpacked) {
  testing::for_each_kernel([](const Target& target, auto scalar) {
    using T = decltype(scalar);
    const ScalarKernels<T>& kernels = kernels_of<T>(target);
    const index lanes = kernels.cells[0].traits.lanes;
    for (index rows = 1; rows <= lanes; ++rows) {
      for (const index length : {index{1}, lanes - 1, lanes, lanes + 1, 3 * lanes + 2}) {
        const std::vector<T> w = Random().vector<T>(rows * length);
        std::vector<T> packed(static_cast<std::size_t>(length * lanes), T(7));
        kernels.probes.pack_lanes(w.data(), rows, length, packed.data());
        bool right = true;
        for (index k = 0; k < length; ++k) {
          for (index lane = 0; lane < lanes; ++lane) {
            const T wanted = lane < rows ? w[static_cast<std::size_t>(lane * length + k)] : T(0);
            right = right && packed[static_cast<std::size_t>(k * lanes + lane)] == wanted;
          }
        }
        CHECK(right, "%s: pack %d rows of %d", target.name, static_cast<int>(rows),
              static_cast<int>(length));
        // One element more on either side must stay as it was.
        std::vector<T> back(w.size() + 2, T(9));
        kernels.probes.unpack_lanes(packed.data(), rows, length, back.data() + 1);
        CHECK(back.front() == T(9) && back.back() == T(9), "%s: wrote outside", target.name);
        CHECK(std::vector<T>(back.begin() + 1, back.end() - 1) == w, "%s: unpack %d rows of %d",
              target.name, static_cast<int>(rows), static_cast<int>(length));
      }
    }
  });
}

}  // namespace
}  // namespace rnnfast
