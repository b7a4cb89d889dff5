// A thread of an emulated GPU (cuda/machine.hpp), and what runs a kernel on many.
#pragma once

#include <span>

#include "base/float16.hpp"
#include "launch.hpp"

namespace rnnfast::emulation {

/// Numbers in the shared memory of a block.
template <class T>
struct SharedNumbers;

class EmulatedThread {
 public:
  EmulatedThread(Launch& launch, int number) : launch_(launch), number_(number) {}

  int thread() const { return number_ % launch_.sizes.threads; }
  int threads() const { return launch_.sizes.threads; }
  int block() const { return number_ / launch_.sizes.threads; }
  int blocks() const { return launch_.sizes.blocks; }
  int cluster_rank() const { return block() % launch_.sizes.cluster; }
  int cluster_blocks() const { return launch_.sizes.cluster; }

  /// Of one number of an array, or of several as one.
  template <class T>
  T load(const T* from) {
    const std::span<Word> words = words_of(from);
    for (Word& word : words) read(word, launch_.memory.array_of(from)->name);
    T value = {};
    if (!words.empty()) std::memcpy(&value, from, sizeof value);
    return value;
  }
  template <class T>
  void store(T* to, T value) {
    const std::span<Word> words = words_of(to);
    for (Word& word : words) write(word, launch_.memory.array_of(to)->name);
    if (!words.empty()) std::memcpy(to, &value, sizeof value);
  }

  template <class T>
  SharedNumbers<T> shared(int first, int count) {
    return {*this, block(), first, count};
  }
  template <class T>
  SharedNumbers<T> peer(const SharedNumbers<T>& of, int rank) {
    return {*this, block() - cluster_rank() + rank, of.first, of.count};
  }

  void sync(int line = __builtin_LINE()) { launch_.wait(number_, Scope::block, line); }
  void sync_cluster(int line = __builtin_LINE()) { launch_.wait(number_, Scope::cluster, line); }
  void sync_grid(int line = __builtin_LINE()) { launch_.wait(number_, Scope::grid, line); }

  template <class T>
  T shuffle_xor(T value, int mask, int line = __builtin_LINE()) {
    Lane* const lanes = warp();
    std::memcpy(&lanes[lane()].value, &value, sizeof value);
    launch_.wait(number_, Scope::warp, line);
    std::memcpy(&value, &lanes[lane() ^ mask].value, sizeof value);
    launch_.wait(number_, Scope::warp, line);
    return value;
  }

  template <class T>
  void copy_async(const SharedNumbers<T>& to, int i, const T* from) {
    constexpr int numbers = 16 / static_cast<int>(sizeof(T));
    const auto address = reinterpret_cast<std::uintptr_t>(from);
    if (address % 16 || (to.first + i * static_cast<int>(sizeof(T))) % 16) {
      launch_.fault("not at a multiple of 16 bytes", "copy");
      return;
    }
    for (int n = 0; n < numbers; ++n) {
      const T value = load(from + n);
      std::byte* const place = to.place(i + n);
      if (!place) return;
      to.each_word(i + n, [](Word& word) { word.arriving = true; });
      copies_.push_back([to, i, n, value] { to.arrive(i + n, value); });
    }
  }
  void finish_copies() {
    for (const auto& copy : copies_) copy();
    copies_.clear();
  }

  /// m16n8k16 (PTX ISA, 'Matrix Fragments for mma.m16n8k16 with floating point type').
  template <class Stored>
  void mma(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
           int line = __builtin_LINE()) {
    Lane* const lanes = warp();
    std::copy(a, a + 4, lanes[lane()].a);
    std::copy(b, b + 2, lanes[lane()].b);
    launch_.wait(number_, Scope::warp, line);
    const int group = lane() / 4;
    const int pair = lane() % 4;
    for (int i = 0; i < 4; ++i) {
      const int row = group + i / 2 * 8;
      const int column = 2 * pair + i % 2;
      for (int k = 0; k < 16; ++k) {
        const int of_a = row % 8 * 4 + k % 8 / 2;
        const int of_b = column * 4 + k % 8 / 2;
        d[i] += one_of<Stored>(lanes[of_a].a[row / 8 + k / 8 * 2], k % 2) *
                one_of<Stored>(lanes[of_b].b[k / 8], k % 2);
      }
    }
    launch_.wait(number_, Scope::warp, line);
  }

  /// At the end of the kernel.
  void end() {
    if (!copies_.empty()) launch_.fault("not waited for", "copy");
  }

 private:
  template <class T>
  friend struct SharedNumbers;

  /// The lower half is the first.
  template <class Stored>
  static float one_of(std::uint32_t two, int which) {
    return widened(Stored{static_cast<std::uint16_t>(which ? two >> 16 : two)});
  }

  int lane() const { return thread() % warp_lanes; }
  Lane* warp() {
    return launch_.blocks[static_cast<std::size_t>(block())].lanes.data() + thread() - lane();
  }

  /// None if not all of them are there.
  template <class T>
  std::span<Word> words_of(const T* at) {
    Array* const array = launch_.memory.array_of(at);
    const std::size_t count = array ? std::max(sizeof(T) / array->number_bytes, std::size_t{1}) : 1;
    if (!array || array->number_of(at) + count > array->words.size()) {
      launch_.fault("outside", "memory of no array");
      return {};
    }
    if (reinterpret_cast<std::uintptr_t>(at) % alignof(T)) {
      launch_.fault("not aligned", array->name);
      return {};
    }
    return {&array->words[array->number_of(at)], count};
  }

  void read(Word& word, const char* of) {
    if (word.arriving) launch_.fault("used before it is there", of);
    if (!word.written && !word.arriving) launch_.fault("read and never written", of);
    if (word.read(launch_.now(number_))) launch_.fault("race", of);
  }
  void write(Word& word, const char* of) {
    if (word.arriving) launch_.fault("used before it is there", of);
    if (word.write(launch_.now(number_))) launch_.fault("race", of);
  }

  Launch& launch_;
  int number_;
  std::vector<std::function<void()>> copies_;
};

template <class T>
struct SharedNumbers {
  EmulatedThread& thread;
  int block;
  int first;
  int count;

  T get(int i) const {
    T value = {};
    const std::byte* const from = place(i);
    if (!from) return value;
    each_word(i, [&](Word& word) { thread.read(word, "shared memory"); });
    std::memcpy(&value, from, sizeof value);
    return value;
  }

  void set(int i, T value) const {
    std::byte* const to = place(i);
    if (!to) return;
    each_word(i, [&](Word& word) { thread.write(word, "shared memory"); });
    std::memcpy(to, &value, sizeof value);
  }

  /// What a copy has brought.
  void arrive(int i, T value) const {
    each_word(i, [](Word& word) { word.arriving = false; });
    set(i, value);
  }

  /// Null if the block has no such number.
  std::byte* place(int i) const {
    Launch& launch = thread.launch_;
    const int at = first + i * static_cast<int>(sizeof(T));
    const int end = at + static_cast<int>(sizeof(T));
    const bool there = i >= 0 && i < count && at >= 0 && end <= launch.sizes.shared_bytes;
    if (!there) launch.fault("outside", "shared memory");
    if (!launch.reaches(thread.number_, block))
      launch.fault("outside", "a block that is not there");
    return there ? own().bytes.data() + at : nullptr;
  }

  template <class Body>
  void each_word(int i, Body&& body) const {
    constexpr int words = static_cast<int>(sizeof(T)) / 2;
    for (int w = 0; w < words; ++w) {
      body(own().words[static_cast<std::size_t>(first / 2 + i * words + w)]);
    }
  }

 private:
  Block& own() const { return thread.launch_.blocks[static_cast<std::size_t>(block)]; }
};

/// Runs kernel(thread) on all threads of a launch; gives what was wrong.
template <class Kernel>
std::vector<std::string> launch(Memory& memory, const LaunchSizes& sizes, Kernel&& kernel) {
  memory.launch();
  Launch launch(memory, sizes);
  launch.run([&](int number) {
    EmulatedThread thread(launch, number);
    kernel(thread);
    thread.end();
  });
  return launch.faults;
}

}  // namespace rnnfast::emulation
