// The plan: who computes what, in what pieces. A pure function of its purpose, the sizes, the
// cell's traits and the machine; it never changes a result's bits, only its speed.
//
//   rows    each thread owns sequences for all steps: no meeting in the forward pass
//   units   each thread owns hidden units of all sequences: they meet once a phase of every step
//
// Rows is best while the recurrent weights R fit a core's L2 and a thread gets enough rows to use
// them; otherwise each core keeps its own share of R close and the threads trade h through L3.
#pragma once

#include <cstddef>
#include <vector>

#include "base/dims.hpp"

namespace rnnfast {

enum class Partition { rows, units };

const char* name_of(Partition partition);

/// What a plan is for: in training, threads also share out packing and gradients, and read what
/// the others have made of them. With checkpoints (cpu/drive/checkpoints.hpp) it goes by stretches.
enum class Purpose { inference, training, training_with_checkpoints };

/// What there is to know of a cell, in one scalar type, without its own type.
struct CellTraits {
  int gates;                      // G
  int parts;                      // P
  int phases;                     // meetings a step, and one more where h is a projection
  int scalar_size;                // bytes
  int lanes;                      // N
  bool has_memory = false;        // whether there is a c beside h
  int norm_rows = 0;              // of its layer normalization, times H numbers
  int unit_weights = 0;           // U, times H numbers
  bool may_project = false;       // whether a call may project what it gives
  int activations = 0;            // that a call may choose
  int weight_size = scalar_size;  // bytes of one that is packed
  int products = 1;               // k that one multiplication of vectors takes

  /// Whether an epilogue waits for whole rows: threads own these.
  bool whole_rows() const { return norm_rows > 0; }
};

struct Machine {
  std::size_t l2;                     // bytes a core
  std::size_t l3;                     // bytes, shared by the cores
  double flops_per_ns;                // one core's fma rate
  double team_start_ns;               // starting and ending a parallel region
  double (*meeting_ns)(int threads);  // the team meets and trades a state; asked where it matters
};

/// What a test forces; zero or null where it leaves the choice.
struct Forced {
  const Partition* partition = nullptr;
  index chunk_steps = 0;
  int threads = 0;
  const bool* interleaves_input = nullptr;  // where it is possible
  const bool* pipelines = nullptr;          // where it is possible
};

/// Steps of a window of the interleaved input product.
constexpr index input_window = 10;

/// Steps [begin, end) with `rows` active sequences.
struct PlanSegment {
  index begin;
  index end;
  index rows;
  Partition partition;
  int threads;
  index chunk_steps;        // steps whose input product is made at once
  bool interleaves_input;   // or it is made beside the recurrent products (interleaved_input.hpp)
  index delta_chunk_steps;  // steps of the backward pass between weight gradients
  index block_steps;        // steps of one partial sum of the weight gradients: from T and B alone
  index stretch_steps;      // steps that are kept at a time: all, or those from one checkpoint to
                            // the next, counted from the last step
  bool masks_operand;       // whether the call masks h where it enters the recurrent product
};

struct Plan {
  std::vector<PlanSegment> segments;
};

Plan make_plan(Purpose purpose, const Dims& dims, const CellTraits& cell, const Machine& machine,
               int threads, const Forced& forced = {});

/// A plan for one thread as it serves no more rows, and at most as many steps times rows.
PlanSegment narrowed(const PlanSegment& plan, index steps, index rows);

/// Layers of equal H and R, each in one direction or in two.
struct StackDims {
  Dims first;  // of the first layer; others have directions * R inputs
  index layers;
  index directions;

  Dims of(index layer) const {
    return {first.steps, first.rows, layer == 0 ? first.inputs : directions * outputs_of(first),
            first.units, first.projection};
  }
};

/// Whether layers, or directions, run at once, each on one thread (cpu/drive/pipeline.hpp), or one
/// after the other, each under a plan of its own.
struct StackPlan {
  bool pipelines;
  int threads;
  index chunk_steps;  // after which a layer is followed by the next; in two directions it is after
                      // all
};

StackPlan plan_stack(Purpose purpose, const StackDims& stack, const CellTraits& cell,
                     const Machine& machine, int threads, const Forced& forced = {});

/// The plan of one of several layers at once. What concerns its backward pass is as ever.
PlanSegment plan_part(Purpose purpose, const StackDims& stack, index layer, const StackPlan& plan,
                      const CellTraits& cell, const Machine& machine, int threads,
                      const Forced& forced = {});

}  // namespace rnnfast
