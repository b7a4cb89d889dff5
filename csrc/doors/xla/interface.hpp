// XLA's C interface of foreign functions, major version 0, as far as it is used: declared by hand
// from xla/ffi/api/c_api.h, so that nothing of XLA is needed to build this. A structure of the host
// may be longer than it is here, and says how long.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rnnfast::xla {

enum class ExtensionType : int { metadata = 1 };
struct Extension {
  std::size_t size;
  ExtensionType type;
  Extension* next;
};

struct Version {
  std::size_t size;
  Extension* extensions;
  int major;
  int minor;
};
constexpr int major_version = 0;

enum class Type : int { boolean = 1, int32 = 4, int64 = 5, uint8 = 6, float32 = 11, float64 = 12 };

struct Buffer {
  std::size_t size;
  Extension* extensions;
  Type type;
  void* data;
  std::int64_t rank;
  std::int64_t* dims;
};

/// Arguments, or results, all of which are buffers.
struct Buffers {
  std::size_t size;
  Extension* extensions;
  std::int64_t count;
  int* kinds;
  Buffer** each;
};

enum class AttributeKind : int { array = 1, scalar = 3 };
struct Text {
  const char* data;
  std::size_t size;
};
struct Scalar {
  Type type;
  void* value;
};
struct Array {
  Type type;
  std::size_t size;
  void* data;
};
struct Attributes {
  std::size_t size;
  Extension* extensions;
  std::int64_t count;
  AttributeKind* kinds;
  Text** names;
  void** each;
};

struct Error;
enum class ErrorCode : int {
  invalid_argument = 3,
  resource_exhausted = 8,
  failed_precondition = 9,
  internal = 13
};
struct ErrorArguments {
  std::size_t size;
  Extension* extensions;
  const char* message;
  ErrorCode code;
};

/// The host's functions; those that follow are not used.
struct Interface {
  std::size_t size;
  Extension* extensions;
  Version version;
  const void* internal;
  Error* (*create_error)(ErrorArguments*);
};

enum class Stage : int { execute = 3 };

/// What a handler is called with.
struct Call {
  std::size_t size;
  Extension* extensions;
  const Interface* host;
  void* context;
  Stage stage;
  Buffers arguments;
  Buffers results;
  Attributes attributes;
};

struct Metadata {
  std::size_t size;
  Version version;
  std::uint32_t traits;
};
struct MetadataExtension {
  Extension base;
  Metadata* metadata;
};

/// Null where all went well.
using Handler = Error*(Call*);

}  // namespace rnnfast::xla
