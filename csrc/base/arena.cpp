#include "base/arena.hpp"

#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace rnnfast {
namespace {

// Twice this and more is asked for in huge pages: fewer faults for the same memory.
constexpr std::size_t huge_page = std::size_t{2} << 20;

// A training loop asks for the same blocks again and again, and fresh ones must be cleared by the
// system first (6.5% of the forward pass of 100/32/128 in perf). So the last ones freed are kept,
// within bounds. Sanitized builds keep none, to see every use of freed memory.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kept_bytes = 0;
#else
constexpr std::size_t kept_bytes = std::size_t{256} << 20;
#endif
constexpr std::size_t kept_blocks = 8;
constexpr std::size_t smallest_kept = std::size_t{64} << 10;

struct Block {
  char* data = nullptr;
  std::size_t size = 0;
};

char* allocate(std::size_t size, std::size_t alignment) {
#if defined(_WIN32)
  char* data = static_cast<char*>(_aligned_malloc(size, alignment));
#else
  char* data = static_cast<char*>(std::aligned_alloc(alignment, size));
#endif
  if (!data) throw std::bad_alloc();
#if defined(__linux__)
  if (alignment == huge_page) madvise(data, size, MADV_HUGEPAGE);
#endif
  return data;
}

void release(char* data) {
#if defined(_WIN32)
  _aligned_free(data);
#else
  std::free(data);
#endif
}

/// Freed blocks, oldest first. Nobody waits for it: who finds it taken (by another thread, or for
/// good in a process forked at the wrong moment) goes to the system instead.
class Shelf {
 public:
  /// A block of at least `size` bytes and less than twice that, or none.
  Block take(std::size_t size) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return {};
    for (std::size_t i = count_; i-- > 0;) {
      if (blocks_[i].size >= size && blocks_[i].size / 2 <= size) return remove(i);
    }
    return {};
  }

  void put(Block block) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || block.size < smallest_kept || block.size > kept_bytes) {
      release(block.data);
      return;
    }
    while (count_ == kept_blocks || bytes_ + block.size > kept_bytes) release(remove(0).data);
    blocks_[count_++] = block;
    bytes_ += block.size;
  }

 private:
  Block remove(std::size_t i) {
    const Block block = blocks_[i];
    bytes_ -= block.size;
    --count_;
    for (; i < count_; ++i) blocks_[i] = blocks_[i + 1];
    return block;
  }

  std::mutex mutex_;
  Block blocks_[kept_blocks];  // room that is there: freeing memory must not ask for any
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

// Never destroyed: an arena may outlive every static object.
Shelf& shelf() {
  static Shelf& shelf = *new Shelf;
  return shelf;
}

/// Smaller blocks, a thread's own: a single step takes two of some kilobytes, and aligned ones cost
/// the system's allocator a tenth of that step.
class Pocket {
 public:
  Pocket() = default;
  Pocket(const Pocket&) = delete;
  ~Pocket() {
    for (Block& block : blocks_) release(std::exchange(block, Block{}).data);
  }

  /// A block of at least `size` bytes, or none.
  Block take(std::size_t size) {
    for (Block& block : blocks_) {
      if (block.size >= size) return std::exchange(block, Block{});
    }
    return {};
  }

  /// The largest stay.
  void put(Block block) {
    for (Block& kept : blocks_) {
      if (kept.size < block.size && kept_bytes > 0) std::swap(kept, block);
    }
    release(block.data);
  }

 private:
  Block blocks_[2] = {};
};

thread_local Pocket pocket;

}  // namespace

Arena::Arena(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(-1) / 4) throw std::bad_alloc();
  const Block block = bytes >= smallest_kept ? shelf().take(bytes) : pocket.take(bytes);
  data_ = block.data;
  size_ = block.size;
  if (data_) return;
  const std::size_t alignment = bytes >= 2 * huge_page ? huge_page : cache_line;
  size_ = (bytes + alignment) / alignment * alignment;
  data_ = allocate(size_, alignment);
}

Arena::~Arena() {
  if (!data_) return;
  size_ >= smallest_kept ? shelf().put({data_, size_}) : pocket.put({data_, size_});
}

Arena::Arena(Arena&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

char* Arena::data() const { return data_; }
std::size_t Arena::size() const { return size_; }

}  // namespace rnnfast
