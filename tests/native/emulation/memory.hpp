// The memory of an emulated GPU: arrays that kernels are given, each number of which knows whether
// it was ever written.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "races.hpp"

namespace rnnfast::emulation {

struct Array {
  const char* name;
  std::size_t number_bytes;
  std::unique_ptr<std::byte[]> bytes;
  std::vector<Word> words;  // one a number

  bool has(const void* at) const {
    return at >= bytes.get() && at < bytes.get() + words.size() * number_bytes;
  }
  std::size_t number_of(const void* at) const {
    return static_cast<std::size_t>(static_cast<const std::byte*>(at) - bytes.get()) / number_bytes;
  }
};

class Memory {
 public:
  /// Nothing is known of its numbers.
  template <class T>
  T* reserve(const char* name, std::size_t count) {
    Array& array = arrays_.emplace_back();
    array.name = name;
    array.number_bytes = sizeof(T);
    array.bytes.reset(new std::byte[count * sizeof(T)]);
    array.words.resize(count);
    std::memset(array.bytes.get(), 0xff, count * sizeof(T));  // NaN
    return reinterpret_cast<T*>(array.bytes.get());
  }

  template <class T>
  T* copy(const char* name, const std::vector<T>& values) {
    T* const to = reserve<T>(name, values.size());
    std::copy(values.begin(), values.end(), to);
    for (Word& word : arrays_.back().words) word.written = true;
    return to;
  }

  /// Gives an array back: from now on nothing is there.
  void release(const void* array) {
    std::erase_if(arrays_, [&](const Array& one) { return one.bytes.get() == array; });
  }

  /// Numbers from the host.
  void write(const void* from, std::size_t bytes, void* to) {
    Array& of = *array_of(to);
    std::memcpy(to, from, bytes);
    const std::size_t first = of.number_of(to);
    const std::size_t count = bytes / of.number_bytes;
    for (std::size_t i = first; i < first + count; ++i) of.words[i].written = true;
  }

  /// All that an array holds.
  void forget(const void* array) {
    Array& of = *array_of(array);
    std::memset(of.bytes.get(), 0xff, of.words.size() * of.number_bytes);
    for (Word& word : of.words) word.written = false;
  }

  /// The array that a number lies in, or null.
  Array* array_of(const void* at) {
    const auto found = std::find_if(arrays_.begin(), arrays_.end(),
                                    [&](const Array& array) { return array.has(at); });
    return found == arrays_.end() ? nullptr : &*found;
  }

  /// How many numbers of an array nobody has written.
  std::size_t unwritten(const void* array) {
    const std::vector<Word>& words = array_of(array)->words;
    return static_cast<std::size_t>(
        std::count_if(words.begin(), words.end(), [](const Word& word) { return !word.written; }));
  }

  /// Whatever was done is before the next launch.
  void launch() {
    for (Array& array : arrays_) {
      for (Word& word : array.words) word.launch();
    }
  }

 private:
  std::deque<Array> arrays_;
};

}  // namespace rnnfast::emulation
