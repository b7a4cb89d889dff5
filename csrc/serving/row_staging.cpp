#include "serving/row_staging.hpp"

#include <cstring>

#include "serving/streams.hpp"

namespace rnnfast {

RowStaging::RowStaging(index rows, index inputs, index outputs, ScalarType scalar)
    : scalar_(scalar), inputs_(inputs), outputs_(outputs) {
  const auto place = [&](Bump bump) {
    x_ = bump.take<char>(rows * inputs * size_of(scalar));
    y_ = bump.take<char>(rows * outputs * size_of(scalar));
    return bump.used();
  };
  memory_ = Arena(place(Bump(nullptr)));
  std::memset(memory_.data(), 0, memory_.size());  // now, as all memory of streams
  place(Bump(memory_.data()));
}

void RowStaging::bring(const Sequence<const void>& x, index step, index row, index to) const {
  std::memcpy(x_ + bytes_of(to * inputs_), beginning(x, step, row, scalar_).data,
              bytes_of(inputs_));
}

void RowStaging::deal(index from, const Sequence<void>& y, index step, index row) const {
  std::memcpy(beginning(y, step, row, scalar_).data, y_ + bytes_of(from * outputs_),
              bytes_of(outputs_));
}

void RowStaging::clear(const Sequence<void>& y, index step, index row) const {
  std::memset(beginning(y, step, row, scalar_).data, 0, bytes_of(outputs_));
}

}  // namespace rnnfast
