// Arrays in a file, by name (the format of Hugging Face's safetensors):
//
//   8 bytes    n, little-endian
//   n bytes    JSON: {name: {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__":
//   {...}} the rest   the arrays, one after the other without a gap
//
// All that a file says is checked before a byte of an array is looked at.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "files/json.hpp"

namespace rnnfast {

struct FileArray {
  std::string dtype;  // as the format has it: "F32"
  std::vector<index> shape;
  const char* data;  // aligned to nothing
  std::size_t bytes;
};

class SafetensorsFile {
 public:
  /// Reads a file. Throws std::system_error where it cannot be read, FileError where it is none.
  static SafetensorsFile read(const std::string& path);
  /// What such a file holds.
  explicit SafetensorsFile(std::vector<char> bytes);
  SafetensorsFile(SafetensorsFile&&) = default;

  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
  const std::map<std::string, FileArray, std::less<>>& arrays() const { return arrays_; }
  /// Throws FileError if there is none of that name.
  const FileArray& array(std::string_view name) const;

 private:
  void add(const std::string& name, const Json& described, std::string_view data);
  void require_dense(std::size_t bytes) const;

  std::vector<char> bytes_;
  std::map<std::string, std::string, std::less<>> metadata_;
  std::map<std::string, FileArray, std::less<>> arrays_;
};

}  // namespace rnnfast
