// DLPack's C structures (version 1: https://dmlc.github.io/dlpack/latest/c_api.html), as far as
// tensors need them, and its exchange table (1.3), through which a framework's tensors are read and
// made in nanoseconds, without linking to it.
#pragma once

#include <cstdint>

namespace rnnfast::dlpack {

struct Version {
  std::uint32_t major;
  std::uint32_t minor;
};

struct Device {
  std::int32_t type;
  std::int32_t id;
};
constexpr std::int32_t cpu = 1;
constexpr std::int32_t cuda = 2;

struct DataType {
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
};
constexpr std::uint8_t floating = 2;
constexpr std::uint8_t brain_floating = 4;
constexpr std::uint8_t boolean = 6;

struct Tensor {
  void* data;
  Device device;
  std::int32_t dims;
  DataType type;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements
  std::uint64_t byte_offset;
};

/// Of a capsule named `dltensor`: what all had before version 1.
struct OldManagedTensor {
  Tensor tensor;
  void* context;
  void (*deleter)(OldManagedTensor*);
};

/// Of a capsule named `dltensor_versioned`.
struct ManagedTensor {
  Version version;
  void* context;
  void (*deleter)(ManagedTensor*);
  std::uint64_t flags;
  Tensor tensor;
};

/// What the capsule `type(tensor).__dlpack_c_exchange_api__` points to. Functions return 0, or set
/// a Python error.
struct Exchange {
  Version version;
  Exchange* previous;
  void* allocate;
  void* managed_from_object;
  int (*to_object)(ManagedTensor*, void** object);
  int (*from_object)(void* object, Tensor*);  // borrowed; may be null
  void* stream;
};
constexpr const char* exchange_name = "dlpack_exchange_api";
constexpr std::uint32_t major_version = 1;
constexpr std::uint64_t read_only = 1;  // among flags

}  // namespace rnnfast::dlpack
