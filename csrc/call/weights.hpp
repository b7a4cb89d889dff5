// The weights of a layer in one direction, and everything else that has one array for each of them:
// their gradients, packed copies, what a file holds. All doors take and give them in this order.
#pragma once

namespace rnnfast {

enum class WeightId {
  w_ih,      // (G*H, I)
  w_hh,      // (G*H, R)
  b_ih,      // (G*H,)
  b_hh,      // (G*H,)
  w_hr,      // (R, H), where h is a projection
  of_units,  // (U*H,), where the cell has U weights that are a number for each unit
  of_norms   // where the cell normalizes: gains of the input and of the recurrent product (G*H,)
             // each, then, where it normalizes c, its gain and bias (H,)
};
constexpr int weight_count = 7;

/// Of w_ih and w_hh whose numbers are whole multiples of a scale for each row (G*H,); null where
/// they are not.
struct RowScales {
  const float* ih = nullptr;
  const float* hh = nullptr;
};

/// Null where absent, or not wanted. All are C-contiguous.
template <class T>
struct WeightSet {
  T* arrays[weight_count] = {};
  RowScales scales = {};

  constexpr T*& operator[](WeightId id) { return arrays[static_cast<int>(id)]; }
  constexpr T* operator[](WeightId id) const { return arrays[static_cast<int>(id)]; }
};

}  // namespace rnnfast
