// What a target is: a table of functions per instruction set.
//
// Every kernel is reached through these pointers, so that nothing compiled for one instruction set
// is ever named by code compiled for another.
#pragma once

#include <cstddef>

#include "base/cpu.hpp"
#include "call/passes.hpp"
#include "cpu/drive/stack.hpp"
#include "cpu/plan/plan.hpp"
#include "ctc/call.hpp"

namespace rnnfast {

/// What a cell's epilogues are called by (CellFunctions). They are compiled with the cell; a pass
/// in another product format, compiled in another file for the same vectors, is given them.
using Epilogues = const void*;

/// Inference of one cell in one product format. `packed` and `saved` are memory of the caller, of
/// the size asked for, aligned to 64 bytes.
template <class T>
struct InferenceKernels {
  CellTraits traits;
  std::size_t (*packed_bytes)(const Dims&, const WeightSet<const T>&);
  void (*pack)(const Dims&, const WeightSet<const T>&, int threads, char* packed);
  void (*forward)(Epilogues, const ForwardCall<T>&, const PlanSegment&, const char* packed);
  /// The same by a plan for one thread, in `work`, of the size that stack_work tells: made ready in
  /// `standing`, and taken, any number of times. Nothing is allocated, waited for or thrown.
  std::size_t standing_bytes;
  void (*make_ready)(const ForwardCall<T>&, const PlanSegment&, const char* packed, char* work,
                     char* standing);
  void (*take_alone)(Epilogues, char* standing, const T* x, T* y);
  /// Layers at once; `stack_work` is the size of a part's `work`.
  std::size_t (*stack_work)(const Dims&, const PlanSegment&);
  void (*stack)(Epilogues, const StackCall<T>&);
};

/// Training of one cell in one product format. What is saved is of the same form in all.
template <class T>
struct TrainingKernels {
  std::size_t (*saved_bytes)(const Dims&, const PlanSegment&);
  void (*forward_saving)(Epilogues, const ForwardCall<T>&, const PlanSegment&, const char* packed,
                         char* saved);
  void (*backward)(Epilogues, const BackwardCall<T>&, const PlanSegment&, const char* saved);
  /// The same with checkpoints, by a plan that is made for them.
  std::size_t (*checkpoint_bytes)(const Dims&, const PlanSegment&);
  void (*forward_saving_checkpoints)(Epilogues, const ForwardCall<T>&, const PlanSegment&,
                                     const char* packed, char* saved);
  void (*backward_from_checkpoints)(Epilogues, const BackwardCall<T>&, const PlanSegment&,
                                    const char* saved);
  std::size_t (*stack_work_saving)(const Dims&, const PlanSegment&);
  void (*stack_saving)(Epilogues, const StackCall<T>&);
};

/// One cell in one scalar type, with its plain format.
template <class T>
struct CellKernels : InferenceKernels<T>, TrainingKernels<T> {
  const char* name;
  Epilogues epilogues;
  void (*trace)(Epilogues, const TraceCall<T>&, const Dims&, const PlanSegment&, const char* saved);
};

/// Pieces of the kernels by themselves, for tests and for measuring limits.
template <class T>
struct Probes {
  int tile_vectors;
  int (*tile_rows)(int vectors);
  int (*widest_tile)(index rows);
  /// C[rows, vectors*N] = start + A[rows, k] B[k, vectors*N], `repeats` times.
  void (*tile)(int rows, int vectors, index k, const T* a, const T* b, const T* start, T* c,
               index repeats);
  /// c[columns, vectors*N] += strip[k, columns]^T B[k, vectors*N]
  void (*strip_tile)(int columns, int vectors, index k, const T* strip, const T* b, T* c);
  /// `count` rounds of fma_chains independent fma's in registers; the result depends on all.
  int fma_chains;
  T (*fma_loop)(index count);
  void (*sigmoid)(const T* x, T* y, index count);  // count: a multiple of N
  void (*tanh)(const T* x, T* y, index count);
  void (*chosen)(const ActivationChoice&, const T* x, T* y, index count);
  void (*chosen_slope)(const ActivationChoice&, const T* y, T* slope, index count);
  void (*pack_lanes)(const T* w, index rows, index length, T* to);  // [length][N]
  void (*unpack_lanes)(const T* from, index rows, index length, T* w);
};

/// Cells by their numbers in one of the registry's lists.
template <class T>
struct CellTable {
  const CellKernels<T>* cells;
  int count;
};

template <class T>
struct ScalarKernels {
  CellTable<T> fixed;   // activations of their own
  CellTable<T> chosen;  // those that a call chooses
  Probes<T> probes;
  void (*ctc)(const CtcCall<T>&, int threads);
};

/// Pieces of the products of a format by themselves.
template <class T>
struct FormatProbes {
  int group;     // k of an element
  index a_size;  // bytes of an element of A, and of B
  index b_size;
  index b_head;  // elements of a column of B before those of k
  int (*tile_rows)(int vectors);
  /// As Probes::tile, `k` in elements; in KernelMode.
  void (*tile)(int rows, int vectors, index k, const void* a, const void* b, const T* start, T* c,
               index repeats);
  /// `count` rounds of `chains` independent multiplications in registers, each of `products` k.
  int chains;
  int products;
  T (*multiply_loop)(index count);
};

/// One more product format, of the same cells.
template <class T>
struct FormatKernels {
  const InferenceKernels<T>* fixed;
  const InferenceKernels<T>* chosen;
  FormatProbes<T> probes;
  const TrainingKernels<T>* fixed_training = nullptr;  // none of formats of inference alone
  const TrainingKernels<T>* chosen_training = nullptr;
};

/// Inference in products of bytes, of the cells whose h lies within -1 and 1; others have null
/// functions. And the pieces that it has beside those of any format.
struct Int8Kernels : FormatKernels<float> {
  /// C[rows, vectors*N] = start + A[rows, k] W[vectors*N, k]^T, both quantized here; `scales` are
  /// those of the rows of W, null where each is to have its own; `packed` is memory for W, of the
  /// size asked for.
  std::size_t (*packed_bytes)(int vectors, index k);
  void (*pack)(int vectors, index k, const float* w, const float* scales, char* packed);
  void (*multiply)(int rows, int vectors, index k, const float* a, const char* packed,
                   const float* start, float* c);
};

/// Inference with W_hh of which only lines that are not zero are kept; other cells than LSTM and
/// GRU have null functions.
struct SparseKernels {
  FormatKernels<float> single;
  FormatKernels<double> twice;
};

/// A file for each scalar type and format, since together they would take minutes to compile.
struct Target {
  const char* name;
  Isa isa;
  const ScalarKernels<float>& single;
  const ScalarKernels<double>& twice;
  const FormatKernels<float>& bfloat16;
  const FormatKernels<float>& float16;
  const Int8Kernels& int8;
  const SparseKernels& sparse;
};

}  // namespace rnnfast
