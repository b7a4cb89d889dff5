#include "files/json.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace rnnfast {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Json whole() {
    Json value = any(0);
    if (next_after_space() != end) fail("something follows the value");
    return value;
  }

 private:
  static constexpr int end = -1;

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError("not JSON at byte " + std::to_string(at_) + ": " + what);
  }

  /// A byte, or `end`.
  int next() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : end; }
  int next_after_space() {
    while (next() == ' ' || next() == '\t' || next() == '\r' || next() == '\n') ++at_;
    return next();
  }
  bool take(char wanted) {
    if (next_after_space() != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) fail(std::string("expected ") + wanted);
  }
  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Json any(int level) {
    if (level > Json::most_levels) fail("too many levels");
    switch (next_after_space()) {
      case '{':
        return object(level);
      case '[':
        return array(level);
      case '"':
        return Json(string());
      default:
        break;
    }
    if (take(std::string_view("true"))) return Json(true);
    if (take(std::string_view("false"))) return Json(false);
    if (take(std::string_view("null"))) return Json();
    return number();
  }

  Json object(int level) {
    Json::Object members;
    expect('{');
    if (take('}')) return Json(std::move(members));
    do {
      if (next_after_space() != '"') fail("expected a name");
      std::string name = string();
      expect(':');
      Json value = any(level + 1);
      if (!members.emplace(name, std::move(value)).second) fail("a second \"" + name + "\"");
    } while (take(','));
    expect('}');
    return Json(std::move(members));
  }

  Json array(int level) {
    Json::Array items;
    expect('[');
    if (take(']')) return Json(std::move(items));
    do items.push_back(any(level + 1));
    while (take(','));
    expect(']');
    return Json(std::move(items));
  }

  bool is_digit() const { return next() >= '0' && next() <= '9'; }
  void digits() {
    if (!is_digit()) fail("expected a value");
    while (is_digit()) ++at_;
  }

  Json number() {
    const std::size_t begin = at_;
    if (next() == '-') ++at_;
    const bool zero = next() == '0';
    digits();
    if (zero && at_ - begin > (text_[begin] == '-' ? 2u : 1u)) fail("a number that begins with 0");
    if (next() == '.') {
      ++at_;
      digits();
    }
    if (next() == 'e' || next() == 'E') {
      ++at_;
      if (next() == '+' || next() == '-') ++at_;
      digits();
    }
    double value = 0;
    const char* const first = text_.data() + begin;
    if (std::from_chars(first, text_.data() + at_, value).ec != std::errc()) {
      fail("a number that is too large");
    }
    return Json(value);
  }

  std::string string() {
    ++at_;
    std::string value;
    while (true) {
      const std::size_t begin = at_;
      while (next() != '"' && next() != '\\') {
        if (next() == end) fail("a string without end");
        if (next() < 0x20) fail("a control character in a string");
        ++at_;
      }
      value.append(text_.substr(begin, at_ - begin));
      if (text_[at_++] == '"') return value;
      append_escaped(value);
    }
  }

  void append_escaped(std::string& to) {
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t which = names.find(static_cast<char>(next()));
    if (next() == end || (which == names.npos && next() != 'u')) fail("an unknown escape");
    if (text_[at_++] == 'u') return append_utf8(to, code_point());
    to.push_back(meanings[which]);
  }

  std::uint32_t four_digits() {
    std::uint32_t value = 0;
    const char* const first = text_.data() + at_;
    if (text_.size() - at_ < 4 || std::from_chars(first, first + 4, value, 16).ptr != first + 4) {
      fail("expected four hexadecimal digits");
    }
    at_ += 4;
    return value;
  }

  /// Past the plane of 16 bits in two halves.
  std::uint32_t code_point() {
    const std::uint32_t high = four_digits();
    if (high < 0xD800 || high > 0xDFFF) return high;
    if (high > 0xDBFF || !take(std::string_view("\\u"))) fail("half a character");
    const std::uint32_t low = four_digits();
    if (low < 0xDC00 || low > 0xDFFF) fail("half a character");
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }

  static void append_utf8(std::string& to, std::uint32_t code) {
    const auto tail = [&](int shift) {
      to.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F)));
    };
    if (code < 0x80) return to.push_back(static_cast<char>(code));
    if (code < 0x800) {
      to.push_back(static_cast<char>(0xC0 | (code >> 6)));
    } else if (code < 0x10000) {
      to.push_back(static_cast<char>(0xE0 | (code >> 12)));
      tail(6);
    } else {
      to.push_back(static_cast<char>(0xF0 | (code >> 18)));
      tail(12);
      tail(6);
    }
    tail(0);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

template <class Value, class Variant>
const Value& required(const Variant& value, std::string_view what, const char* kind) {
  if (const Value* found = std::get_if<Value>(&value)) return *found;
  throw FileError(std::string(what) + " must be " + kind);
}

}  // namespace

Json Json::parse(std::string_view text) { return Parser(text).whole(); }

bool Json::boolean(std::string_view what) const {
  return required<bool>(value_, what, "true or false");
}

double Json::number(std::string_view what) const {
  return required<double>(value_, what, "a number");
}

index Json::integer(std::string_view what) const {
  constexpr double most = 9007199254740992.0;  // to which a double tells all of them apart
  const double value = number(what);
  if (value < 0 || value > most || value != std::floor(value)) {
    throw FileError(std::string(what) + " must be a whole number, at least 0");
  }
  return static_cast<index>(value);
}

const std::string& Json::string(std::string_view what) const {
  return required<std::string>(value_, what, "a string");
}

const Json::Array& Json::array(std::string_view what) const {
  return required<Array>(value_, what, "a list");
}

const Json::Object& Json::object(std::string_view what) const {
  return required<Object>(value_, what, "an object");
}

const Json* find(const Json::Object& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &found->second;
}

}  // namespace rnnfast
