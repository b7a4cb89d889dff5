// Files of arrays, and the JSON in them: what they say, and that nothing wrong in one goes unsaid.
#include <cstring>
#include <random>
#include <string>
#include <system_error>

#include "check.hpp"
#include "files/safetensors.hpp"

namespace rnnfast {
namespace {

/// What is said of it, or nothing where it passes.
template <class Body>
std::string complaint(Body&& body) {
  try {
    body();
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

std::vector<char> file_of(const std::string& header, std::size_t data) {
  std::vector<char> bytes(8 + header.size() + data);
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  for (std::size_t i = 0; i < data; ++i) bytes[8 + header.size() + i] = static_cast<char>(i);
  return bytes;
}

const std::string two_arrays =
    R"({"__metadata__": {"made by": "us"},
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "I8", "shape": [], "data_offsets": [24, 25]},
        "empty": {"dtype": "F64", "shape": [0, 9], "data_offsets": [25, 25]}})";

TEST(json_is_read_as_it_is_written) {
  const Json read = Json::parse(
      " {\"a\": [1, -2.5e+1, true, null, {}], \"\\u00e9\\ud83d\\ude00\\n\": \"caf\xc3\xa9\"} ");
  const Json::Object& object = read.object("it");
  const Json::Array& array = find(object, "a")->array("a");
  CHECK(array.size() == 5 && array[0].integer("0") == 1 && array[1].number("1") == -25.0 &&
            array[2].boolean("2") && array[3].is_null() && array[4].object("4").empty(),
        "%zu items", array.size());
  CHECK(find(object, "\xc3\xa9\xf0\x9f\x98\x80\n")->string("s") == "caf\xc3\xa9", "a string");
  CHECK(find(object, "b") == nullptr, "a name that is not there");
}

TEST(what_is_no_json_is_told_with_its_place) {
  const char* const texts[] = {"",
                               " ",
                               "{",
                               "[1, 2",
                               "{\"a\"}",
                               "{\"a\": 1,}",
                               "[1,]",
                               "nul",
                               "truth",
                               "01",
                               "1.",
                               ".5",
                               "1e",
                               "+1",
                               "--1",
                               "NaN",
                               "\"a",
                               "\"\\x\"",
                               "\"\\u12g4\"",
                               "\"\\ud800\"",
                               "\"\\udc00\"",
                               "\"\n\"",
                               "[] []",
                               "{1: 2}",
                               "1e999",
                               "\"\\",
                               "\"\\u00",
                               "'a'",
                               "[1 2]",
                               "{\"a\" 1}",
                               "\xff",
                               "{\"a\": 1, \"a\": 2}"};
  for (const char* text : texts) {
    const std::string said = complaint([&] { Json::parse(text); });
    CHECK(said.find("at byte") != std::string::npos, "'%s': '%s'", text, said.c_str());
  }
  CHECK(!complaint([] { Json::parse(std::string_view("1\0", 2)); }).empty(), "a byte of zero");
  CHECK(complaint([] { Json::parse(std::string(20, '[') + std::string(20, ']')); }).empty(), "20");
  CHECK(!complaint([] { Json::parse(std::string(100000, '[')); }).empty(), "100000 levels");
}

TEST(json_of_another_kind_is_told_by_what_it_should_be) {
  const Json text("text");
  CHECK(complaint([&] { text.number("the width"); }) == "the width must be a number", "a number");
  CHECK(!complaint([] { Json::parse("-1").integer("it"); }).empty(), "-1");
  CHECK(!complaint([] { Json::parse("1.5").integer("it"); }).empty(), "1.5");
  CHECK(!complaint([] { Json::parse("1e300").integer("it"); }).empty(), "1e300");
}

TEST(a_file_of_arrays_gives_them_by_name) {
  const SafetensorsFile file(file_of(two_arrays, 25));
  CHECK(file.metadata().at("made by") == "us", "metadata");
  const FileArray& a = file.array("a");
  CHECK(a.dtype == "F32" && a.shape == std::vector<index>({2, 3}) && a.bytes == 24, "a");
  CHECK(a.data[0] == 0 && a.data[23] == 23 && file.array("b").data[0] == 24, "data");
  CHECK(file.array("empty").bytes == 0, "empty");
  CHECK(complaint([&] { file.array("c"); }).find("\"c\"") != std::string::npos, "c");
}

TEST(a_file_that_lies_is_refused) {
  const auto array = [](const char* rest) { return std::string(R"({"a": {"dtype": )") + rest; };
  const std::string headers[] = {
      "[]",
      R"({"a": 1})",
      R"({"__metadata__": {"a": 1}})",
      array(R"("F32", "shape": [2]}})"),
      array(R"("F32", "shape": [2], "data_offsets": [0]}})"),
      array(R"("F32", "shape": [2], "data_offsets": [8, 0]}})"),
      array(R"("F32", "shape": [2], "data_offsets": [0, 9]}})"),
      array(R"("F32", "shape": [2], "data_offsets": [0, 7]}})"),
      array(R"("F32", "shape": [3], "data_offsets": [0, 8]}})"),
      array(R"("F32", "shape": [-2], "data_offsets": [0, 8]}})"),
      array(R"("F33", "shape": [2], "data_offsets": [0, 8]}})"),
      array(R"(4, "shape": [2], "data_offsets": [0, 8]}})"),
      array(R"("F32", "shape": 2, "data_offsets": [0, 8]}})"),
      array(R"("F32", "shape": [1], "data_offsets": [0, 4]}})"),
      array(R"("F32", "shape": [1], "data_offsets": [4, 8]}})"),
      array(R"("F32", "shape": [4294967296, 4294967296, 2], "data_offsets": [0, 8]}})"),
      array(R"("F32", "shape": [2], "data_offsets": [0, 8]},
              "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}})")};
  for (const std::string& header : headers) {
    CHECK(!complaint([&] { SafetensorsFile(file_of(header, 8)); }).empty(), "%s", header.c_str());
  }
}

TEST(a_damaged_file_is_refused_or_read_whole) {
  const std::vector<char> good = file_of(two_arrays, 25);
  for (std::size_t length = 0; length < good.size(); ++length) {
    const std::vector<char> part(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK(!complaint([&] { SafetensorsFile{part}; }).empty(), "%zu bytes", length);
  }
  std::mt19937 draw(0);
  long read = 0;
  for (int i = 0; i < 20000; ++i) {
    std::vector<char> damaged = good;
    for (auto n = draw() % 3 + 1; n > 0; --n) {
      damaged[draw() % damaged.size()] = static_cast<char>(draw());
    }
    complaint([&] {
      const SafetensorsFile file(damaged);
      for (const auto& [name, array] : file.arrays()) {
        for (std::size_t byte = 0; byte < array.bytes; ++byte) read += array.data[byte];
      }
    });
  }
  CHECK(read != 0, "none was read");
}

TEST(a_file_that_is_not_there_is_told) {
  for (const char* path : {"/no/such/file", "/"}) {
    std::string said;
    try {
      SafetensorsFile::read(path);
    } catch (const std::system_error& error) {
      said = error.what();
    }
    CHECK(said.find(path) != std::string::npos, "%s: %s", path, said.c_str());
  }
}

}  // namespace
}  // namespace rnnfast
