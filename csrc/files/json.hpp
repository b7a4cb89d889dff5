// A JSON text (RFC 8259) as a value: the header of a file of weights, and what it says of them.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/dims.hpp"

namespace rnnfast {

/// What stands in a file is not what it should be.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json, std::less<>>;

  Json() = default;
  template <class Value>
  explicit Json(Value value) : value_(std::move(value)) {}

  /// Throws FileError, with the place, where the text is no JSON, says a name twice in an object,
  /// or goes deeper than `most_levels`.
  static Json parse(std::string_view text);
  static constexpr int most_levels = 32;

  bool is_null() const { return is<std::nullptr_t>(); }
  template <class Value>
  bool is() const {
    return std::holds_alternative<Value>(value_);
  }

  // What it must be; FileError, which says what `what` is not, where it is something else.
  bool boolean(std::string_view what) const;
  double number(std::string_view what) const;
  index integer(std::string_view what) const;  // at least zero
  const std::string& string(std::string_view what) const;
  const Array& array(std::string_view what) const;
  const Object& object(std::string_view what) const;

 private:
  std::variant<std::nullptr_t, bool, double, std::string, Array, Object> value_ = nullptr;
};

/// What an object says under a name, or null.
const Json* find(const Json::Object& object, std::string_view name);

}  // namespace rnnfast
