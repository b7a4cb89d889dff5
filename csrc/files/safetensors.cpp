#include "files/safetensors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <system_error>

namespace rnnfast {
namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::size_t most_header_bytes = 100'000'000;  // as the format's own reader has it

struct Dtype {
  std::string_view name;
  std::size_t bytes;
};
constexpr Dtype dtypes[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
                            {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
                            {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};

std::size_t bytes_of(std::string_view dtype) {
  const auto* const found = std::find_if(std::begin(dtypes), std::end(dtypes),
                                         [&](const Dtype& one) { return one.name == dtype; });
  if (found == std::end(dtypes)) throw FileError("unknown dtype \"" + std::string(dtype) + '"');
  return found->bytes;
}

std::size_t header_bytes(std::string_view file) {
  if (file.size() < length_bytes) throw FileError("no safetensors file: shorter than 8 bytes");
  std::uint64_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) {
    length = length << 8 | static_cast<unsigned char>(file[i]);
  }
  if (length > most_header_bytes || length > file.size() - length_bytes) {
    throw FileError("no safetensors file, or a truncated one: its header would have " +
                    std::to_string(length) + " bytes");
  }
  return static_cast<std::size_t>(length);
}

/// `size` times every number in `shape`, if that is what there is.
bool has_bytes(std::size_t size, const std::vector<index>& shape, std::size_t bytes) {
  for (const index of : shape) {
    if (of == 0) return bytes == 0;
  }
  for (const index of : shape) {
    if (size > bytes / static_cast<std::size_t>(of)) return false;
    size *= static_cast<std::size_t>(of);
  }
  return size == bytes;
}

}  // namespace

SafetensorsFile SafetensorsFile::read(const std::string& path) {
  const auto failed = [&] { return std::system_error(errno, std::generic_category(), path); };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) throw failed();
  std::vector<char> bytes;
  for (std::size_t got = 1; got > 0;) {  // not by its size: it may be a pipe
    const std::size_t before = bytes.size();
    bytes.resize(before + std::max<std::size_t>(before, std::size_t{1} << 16));
    got = std::fread(bytes.data() + before, 1, bytes.size() - before, file.get());
    bytes.resize(before + got);
  }
  if (std::ferror(file.get())) throw failed();
  return SafetensorsFile(std::move(bytes));
}

SafetensorsFile::SafetensorsFile(std::vector<char> bytes) : bytes_(std::move(bytes)) {
  const std::string_view file(bytes_.data(), bytes_.size());
  const std::size_t length = header_bytes(file);
  const std::string_view data = file.substr(length_bytes + length);
  const Json header = Json::parse(file.substr(length_bytes, length));
  for (const auto& [name, described] : header.object("the header of a safetensors file")) {
    if (name != "__metadata__") {
      add(name, described, data);
      continue;
    }
    for (const auto& [key, value] : described.object(name)) {
      metadata_[key] = value.string("metadata \"" + key + '"');
    }
  }
  require_dense(data.size());
}

void SafetensorsFile::add(const std::string& name, const Json& described, std::string_view data) {
  const std::string what = "array \"" + name + '"';
  const auto part = [&](const char* key) -> const Json& {
    if (const Json* found = find(described.object(what), key)) return *found;
    throw FileError(what + " has no \"" + key + '"');
  };
  FileArray array;
  array.dtype = part("dtype").string("dtype of " + what);
  for (const Json& of : part("shape").array("shape of " + what)) {
    array.shape.push_back(of.integer("shape of " + what));
  }
  const Json::Array& offsets = part("data_offsets").array("data_offsets of " + what);
  if (offsets.size() != 2) throw FileError(what + " must have two data_offsets");
  const auto begin = static_cast<std::size_t>(offsets[0].integer("begin of " + what));
  const auto end = static_cast<std::size_t>(offsets[1].integer("end of " + what));
  if (begin > end || end > data.size()) {
    throw FileError(what + " lies outside the file, which may be truncated");
  }
  if (!has_bytes(bytes_of(array.dtype), array.shape, end - begin)) {
    throw FileError(what + " has not as many bytes as its shape needs");
  }
  array.data = data.data() + begin;
  array.bytes = end - begin;
  arrays_.emplace(name, std::move(array));
}

/// Nothing lies in two arrays, or in none.
void SafetensorsFile::require_dense(std::size_t bytes) const {
  std::vector<const FileArray*> in_order;
  for (const auto& [name, array] : arrays_) in_order.push_back(&array);
  std::sort(in_order.begin(), in_order.end(), [](const FileArray* a, const FileArray* b) {
    return std::pair(a->data, a->bytes) < std::pair(b->data, b->bytes);
  });
  std::size_t end = 0;
  const char* const data = bytes_.data() + bytes_.size() - bytes;
  for (const FileArray* array : in_order) {
    if (array->data != data + end) throw FileError("arrays overlap, or leave bytes between them");
    end += array->bytes;
  }
  if (end != bytes) throw FileError("bytes follow the last array");
}

const FileArray& SafetensorsFile::array(std::string_view name) const {
  const auto found = arrays_.find(name);
  if (found == arrays_.end()) throw FileError("no array \"" + std::string(name) + '"');
  return found->second;
}

}  // namespace rnnfast
