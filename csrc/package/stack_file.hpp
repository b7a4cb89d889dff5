// The layers in a file that `rnnfast.weights.save_weights` writes in Python:
//
//   weight_ih_l0, weight_hh_l0, bias_ih_l0, ..., weight_ih_l0_reverse, ...      arrays
//   weight_ih_l0_scale, ...                         of each row, where the matrix is of bytes
//   "rnnfast": {"version", "kind": "weights", "state": {"kernel": {...}, ...}}  metadata, as JSON
//
// The kernel says which cell of this library runs: {"cell", "activations", "zoneout"}, which in
// Python follow from a function and its options; and {"sparse": true} where most of W_hh is zero.
#pragma once

#include <memory>

#include "files/safetensors.hpp"
#include "package/stack.hpp"

namespace rnnfast {

class StackFile {
 public:
  /// Throws FileError where the file holds no such layers.
  explicit StackFile(const SafetensorsFile& file);

  /// Its arrays live as long as this.
  const DescribedStack& stack() const { return stack_; }

 private:
  template <class T>
  void add_layer(const SafetensorsFile& file, const CellSpec& cell, const Kept& kept,
                 const std::string& suffix);
  template <class T>
  const void* matrix(const SafetensorsFile& file, const std::string& name,
                     const std::vector<index>& shape, const float*& scales);
  template <class T>
  const void* copied(const FileArray* array, const std::string& name,
                     const std::vector<index>& shape);

  DescribedStack stack_;
  std::vector<Arena> arrays_;
};

}  // namespace rnnfast
