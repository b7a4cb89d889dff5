#include "base/samples.hpp"

#include <algorithm>
#include <cstring>

namespace rnnfast {
namespace {

constexpr std::size_t small = std::size_t{1} << 12U;
constexpr std::size_t line = 64;  // bytes, as many as a cache line has
constexpr std::size_t lines = 32;

/// Copies what lies from a byte on, counted over all rows.
void copy(const Rows& rows, std::size_t from, std::size_t bytes, char* to) {
  const bool is_one_piece = rows.count() == 1;  // as most are: a division takes longer than a copy
  std::size_t row = is_one_piece ? 0 : from / rows.bytes;
  std::size_t offset = from - row * rows.bytes;
  while (bytes > 0) {
    const std::size_t taken = std::min(bytes, rows.bytes - offset);
    std::memcpy(to, rows[row] + offset, taken);
    to += taken;
    bytes -= taken;
    ++row;
    offset = 0;
  }
}

}  // namespace

const char* Rows::operator[](std::size_t row) const {
  const char* at = data;
  for (std::size_t axis = 0; row > 0; row /= counts[axis++]) {
    at += static_cast<index>(row % counts[axis]) * strides[axis];
  }
  return at;
}

std::uint64_t sampled_fingerprint(const Rows& rows) {
  const std::size_t bytes = rows.count() * rows.bytes;
  std::array<char, small> copied;
  if (bytes > small) {
    for (std::size_t i = 0; i < lines; ++i) {
      copy(rows, (bytes - line) * i / (lines - 1), line, copied.data() + i * line);
    }
    return fingerprint({copied.data(), lines * line});
  }
  if (rows.count() == 1) return fingerprint({rows.data, bytes});
  if (bytes > 0) copy(rows, 0, bytes, copied.data());
  return fingerprint({copied.data(), bytes});
}

}  // namespace rnnfast
