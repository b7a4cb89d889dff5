// ONNX Runtime's C interface, as much of it as this door uses, declared by hand: nothing of the
// host is needed to build it. Functions stand in a table, whose places never change; a host of a
// later version has more of them (onnxruntime_c_api.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace rnnfast::onnx {

struct Status;
struct KernelInfo;
struct KernelContext;
struct Value;
struct TensorInfo;
struct SessionOptions;
struct OperatorDomain;
struct Allocator;

enum class ElementType : int {
  none = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  int32 = 6,
  float64 = 11
};
enum class ErrorCode : int { fail = 1, invalid_argument = 2 };
enum class Presence : int { required = 0, optional = 1 };

/// OrtCustomOp, as of version 16, in which kernels return errors.
struct CustomOperator {
  std::uint32_t version;
  void* (*create)(const CustomOperator*, const void* api, const KernelInfo*);
  const char* (*name)(const CustomOperator*);
  const char* (*provider)(const CustomOperator*);
  ElementType (*input_type)(const CustomOperator*, std::size_t);
  std::size_t (*input_count)(const CustomOperator*);
  ElementType (*output_type)(const CustomOperator*, std::size_t);
  std::size_t (*output_count)(const CustomOperator*);
  void (*compute)(void* kernel, KernelContext*);
  void (*destroy)(void* kernel);
  Presence (*input_presence)(const CustomOperator*, std::size_t);
  Presence (*output_presence)(const CustomOperator*, std::size_t);
  int (*input_memory)(const CustomOperator*, std::size_t);
  int (*of_variadic_ones[4])(const CustomOperator*);
  Status* (*create_or_fail)(const CustomOperator*, const void* api, const KernelInfo*,
                            void** kernel);
  Status* (*compute_or_fail)(void* kernel, KernelContext*);
};
constexpr std::uint32_t custom_operator_version = 16;

using Table = void (*const*)();

/// OrtApiBase: the table that has all of a version, null in a host that is older.
struct Versions {
  Table (*table)(std::uint32_t version);
  const char* (*name)();
};
/// KernelContext_ParallelFor came with it.
constexpr std::uint32_t oldest_version = 17;
/// KernelInfoGetAttributeArray_string came with it.
constexpr std::uint32_t version_with_texts = 25;

/// What the host has refused, in its words.
class HostError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A tensor as it lies: dense, the last axis first.
struct Tensor {
  void* data = nullptr;  // null: absent
  std::vector<std::int64_t> shape;
};

class Host {
 public:
  /// `table` is at least of `oldest_version`.
  Host(Table table, bool has_texts) : table_(table), has_texts_(has_texts) {}

  Table table() const { return table_; }

  Status* status(ErrorCode code, const char* message) const;

  OperatorDomain* create_domain(const char* name) const;
  void add_operator(OperatorDomain* domain, const CustomOperator& op) const;
  void add_domain(SessionOptions* options, OperatorDomain* domain) const;

  // Attributes; false, or none, where a node lacks one.
  bool integer(const KernelInfo* of, const char* name, std::int64_t& value) const;
  bool number(const KernelInfo* of, const char* name, float& value) const;
  bool text(const KernelInfo* of, const char* name, std::string& value) const;
  std::vector<float> numbers(const KernelInfo* of, const char* name) const;
  /// Throws std::invalid_argument where the host is too old to tell them.
  std::vector<std::string> texts(const KernelInfo* of, const char* name) const;

  std::string node_name(const KernelInfo* of) const;
  /// Whether a node has an input that may be absent.
  bool has_input(const KernelInfo* of, std::size_t number) const;
  /// An input that is the same in all calls; false where it is not.
  bool constant_input(const KernelInfo* of, std::size_t number, Tensor& tensor) const;

  Tensor input(const KernelContext* of, std::size_t number) const;
  /// One to be filled in; absent where nobody wants it.
  void* output(KernelContext* of, std::size_t number, const std::vector<std::int64_t>& shape) const;

  /// work(context, i) for each i, on the threads of the host's pool.
  void parallel_for(const KernelContext* of, std::size_t count, void (*work)(void*, std::size_t),
                    void* context) const;

 private:
  template <class... Arguments>
  Status* call(int place, Arguments... arguments) const {
    return reinterpret_cast<Status* (*)(Arguments...)>(table_[place])(arguments...);
  }
  template <class... Arguments>
  void require(int place, Arguments... arguments) const;
  /// Whether a call has succeeded.
  template <class... Arguments>
  bool succeeds(int place, Arguments... arguments) const;
  std::string take_message(Status* status) const;
  Tensor tensor(const Value* value) const;

  Table table_;
  bool has_texts_;
};

}  // namespace rnnfast::onnx
