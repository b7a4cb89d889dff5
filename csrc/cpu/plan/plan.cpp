#include "cpu/plan/plan.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace rnnfast {
namespace {

// Rows of an input-product chunk: the weights are read once a chunk, and the chunk's slots must
// still be near when their step comes.
constexpr index chunk_rows = 640;
// Rows of one partial sum of the weight gradients: long enough to read and write the sums rarely,
// short enough to keep rounding errors small.
constexpr index block_rows = 512;
// What a step loses at a meeting, beside the meeting itself: lines of the state that are claimed
// and awaited, workers that are not done at once (GRU 100/1/128: 0.33 us a step with cores 0.1 us
// apart, 1.9 with 0.4).
constexpr double meetings_lost = 3;
// Lines that another core has written come so many in the time of a meeting, asked for ahead and
// many at once (GRU training 5/16/64 loses 20 us to 3000 of them with cores 0.33 us apart).
constexpr double lines_a_meeting = 16;
// Fewer rows would not fill a tile.
constexpr index rows_to_own = 4;

index steps_of(index rows, index batch, index steps) {
  return std::clamp<index>(rows / std::max<index>(batch, 1), 1, std::max<index>(steps, 1));
}

// Steps between checkpoints, so that there are as many of the one as of the other, and each stretch
// has whole blocks of the weight gradients.
index stretch_of(index steps, index block_steps) {
  const auto root = static_cast<index>(std::sqrt(static_cast<double>(steps)));
  return std::min(round_up(std::max<index>(root, 1), block_steps), std::max<index>(steps, 1));
}

// Of the products that a step waits for.
index recurrent_weights(const Dims& dims, const CellTraits& cell) {
  return dims.units * (cell.gates * outputs_of(dims) + dims.projection);
}

index meetings_a_step(const Dims& dims, const CellTraits& cell) {
  return cell.phases + (dims.projection ? 1 : 0);
}

// How much faster than with weights of the scalar's own type: a row by itself waits for weights, of
// which shorter ones come sooner; many rows wait for the multipliers.
double speedup(index rows, const CellTraits& cell) {
  if (rows >= rows_to_own) return cell.products;
  return static_cast<double>(cell.scalar_size) / cell.weight_size;
}

struct Costs {
  double step_ns;     // one step's recurrent product on one core
  double product_ns;  // everything on one core
  double teams;       // that are started
  double lines;       // that one worker writes and all read, beside the states
};

Costs estimate(Purpose purpose, const Dims& dims, const CellTraits& cell, const Machine& machine) {
  const double rate = machine.flops_per_ns * speedup(dims.rows, cell);
  const double per_unit = 2.0 * cell.gates / rate;
  const double outputs = static_cast<double>(dims.rows) * static_cast<double>(dims.units);
  // A single row cannot fill a tile: it is bound by reading R.
  const double filling = dims.rows >= 4 ? 1.0 : 2.5;
  const double step = filling * outputs *
                      (per_unit * static_cast<double>(outputs_of(dims)) +
                       2.0 / rate * static_cast<double>(dims.projection));
  const double input = per_unit * outputs * static_cast<double>(dims.inputs);
  const double product = static_cast<double>(dims.steps) * (step + input);
  if (purpose == Purpose::inference) return {step, product, 1, 0};
  // Weights packed for both passes and the sums of their gradients; deltas.
  constexpr index line = 64;
  const index weights = cell.gates * dims.units * dims.inputs + recurrent_weights(dims, cell);
  const index deltas = dims.steps * dims.rows * cell.parts * dims.units;
  const index bytes = (3 * weights + deltas) * cell.scalar_size;
  const double passes = purpose == Purpose::training ? 3 : 4;
  return {step, passes * product, 2, static_cast<double>(bytes / line)};
}

bool worth_threads(const PlanSegment& segment, const Costs& costs, index meetings,
                   const Machine& machine) {
  const double saved = 1.0 - 1.0 / segment.threads;
  const double starts = costs.teams * machine.team_start_ns;
  if (costs.product_ns * saved <= starts) return false;
  if (segment.partition == Partition::rows && costs.lines == 0) return true;
  const double meeting = machine.meeting_ns(segment.threads);
  const double traded = costs.lines * saved / lines_a_meeting * meeting;
  if (costs.product_ns * saved <= starts + traded) return false;
  if (segment.partition == Partition::rows) return true;
  return costs.step_ns * saved > static_cast<double>(meetings) * meetings_lost * meeting;
}

// A single row whose steps are one product each may have its input product made beside the
// recurrent one; that needs slots for two windows.
bool may_interleave(const Dims& dims, const CellTraits& cell, const PlanSegment& segment) {
  return dims.rows == 1 && cell.phases == 1 && cell.weight_size == cell.scalar_size &&
         segment.partition == Partition::units &&
         segment.chunk_steps >= std::min(dims.steps, 2 * input_window);
}

// It pays while R streams from L2 or L3: not from L1, and not from memory, where reading W_ih more
// often costs more than it hides. And it needs vectors of a cache line, in registers enough: with
// AVX2's it is the loads that are short (bench/NOTES.md).
bool worth_interleaving(const Dims& dims, const CellTraits& cell, const Machine& machine,
                        int threads) {
  constexpr index l1 = 32 * 1024;
  constexpr int line = 64;
  const index column_bytes = cell.gates * dims.units * cell.scalar_size;
  const index share = column_bytes * outputs_of(dims) / threads;
  const index all = column_bytes * (outputs_of(dims) + dims.inputs);
  return cell.lanes * cell.scalar_size == line && dims.steps >= 2 * input_window &&
         dims.inputs <= 4 * dims.units && share > l1 && 2 * all <= static_cast<index>(machine.l3);
}

// Steps that the next layer is behind: some tiles of the input product, since its weights are read
// once a chunk; a small part of all, since the last layer begins and ends that much later.
index pipeline_chunk(index steps) {
  return std::min(std::clamp<index>(steps / 8, 4, 10), std::max<index>(steps, 1));
}

// Nanoseconds of a layer's forward pass under its own plan.
double alone_ns(const PlanSegment& plan, const Costs& costs, index meetings_a_step,
                const Machine& machine) {
  if (plan.threads == 1) return costs.product_ns;
  const double shared = machine.team_start_ns + costs.product_ns / plan.threads;
  if (plan.partition == Partition::rows) return shared;
  const double meetings = static_cast<double>(plan.end * meetings_a_step) * meetings_lost;
  return shared + meetings * machine.meeting_ns(plan.threads);
}

// What layers cost at once, on one thread each. Weights that leave L2 between two chunks are read
// from L3 again; shares of them would stay (LSTM 100/1/256: half as long again).
double layers_at_once_ns(const StackPlan& plan, const StackDims& stack, const CellTraits& cell,
                         const Machine& machine) {
  const index layers_each = ceil_div(stack.layers, plan.threads);
  const Dims upper = stack.of(1);
  const index weights =
      layers_each * (cell.gates * upper.units * upper.inputs + recurrent_weights(upper, cell));
  const bool far = weights * cell.weight_size > static_cast<index>(machine.l2) / 4 * 3;
  double product = 0;
  for (index layer = 0; layer < layers_each; ++layer) {
    product += estimate(Purpose::inference, stack.of(layer), cell, machine).product_ns;
  }
  const index chunks = ceil_div(stack.first.steps, plan.chunk_steps);
  const index waits = chunks + plan.threads - 1;
  const double idle = static_cast<double>(waits) / static_cast<double>(chunks);
  return machine.team_start_ns + product * idle * (far ? 1.2 : 1) +
         static_cast<double>(waits) * meetings_lost * machine.meeting_ns(plan.threads);
}

// How much longer a core takes to read all of its direction's R at each step than half of one R
// after the other: both of them may not find room in L3, or the halves would have stayed in L2. Of
// many rows slots want room as well (LSTM 50/8/512: 1.1).
double reading_both(const Dims& dims, const CellTraits& cell, const Machine& machine) {
  const auto l2 = static_cast<index>(machine.l2);
  const index bytes = recurrent_weights(dims, cell) * cell.weight_size;
  if (bytes <= l2 / 4 * 3) return 1;
  const bool fills_l3 = 2 * bytes > static_cast<index>(machine.l3) / 3 * 2;
  if (fills_l3 || dims.rows >= rows_to_own) return 1.2;
  return bytes / 2 <= l2 ? 1.05 : 1;
}

// What both directions cost at once, layer after layer, on one thread each.
double directions_at_once_ns(const StackPlan& plan, const StackDims& stack, const CellTraits& cell,
                             const Machine& machine) {
  double product = 0;
  for (index layer = 0; layer < stack.layers; ++layer) {
    product += estimate(Purpose::inference, stack.of(layer), cell, machine).product_ns;
  }
  return machine.team_start_ns + product * reading_both(stack.first, cell, machine) +
         static_cast<double>(stack.layers) * meetings_lost * machine.meeting_ns(plan.threads);
}

}  // namespace

const char* name_of(Partition partition) { return partition == Partition::rows ? "rows" : "units"; }

Plan make_plan(Purpose purpose, const Dims& dims, const CellTraits& cell, const Machine& machine,
               int threads, const Forced& forced) {
  const Costs costs = estimate(purpose, dims, cell, machine);
  const index meetings = meetings_a_step(dims, cell);
  const index recurrent_bytes = recurrent_weights(dims, cell) * cell.weight_size;
  const index groups = ceil_div(dims.units, cell.lanes);

  PlanSegment segment{};
  segment.begin = 0;
  segment.end = dims.steps;
  segment.rows = dims.rows;
  segment.threads = std::max(threads, 1);

  const bool enough_rows = dims.rows >= rows_to_own * segment.threads;
  const bool near = recurrent_bytes <= static_cast<index>(machine.l2);
  segment.partition = enough_rows && near ? Partition::rows : Partition::units;
  if (forced.partition) segment.partition = *forced.partition;
  if (cell.whole_rows()) segment.partition = Partition::rows;

  const index shares = segment.partition == Partition::rows ? dims.rows : groups;
  if (!forced.threads) {
    segment.threads = static_cast<int>(std::clamp<index>(shares, 1, segment.threads));
    if (!forced.partition && !worth_threads(segment, costs, meetings, machine)) segment.threads = 1;
  } else {
    segment.threads = forced.threads;
  }

  segment.block_steps = steps_of(block_rows, dims.rows, dims.steps);
  segment.stretch_steps = purpose == Purpose::training_with_checkpoints
                              ? stretch_of(dims.steps, segment.block_steps)
                              : dims.steps;
  const index kept = segment.stretch_steps;
  segment.chunk_steps = steps_of(chunk_rows, dims.rows, kept);
  // Chunks of one length: they are laid out alike, and a short last one would waste memory.
  const index chunks = ceil_div(kept, segment.chunk_steps);
  if (chunks > 0) segment.chunk_steps = ceil_div(kept, chunks);
  // Deltas are written once and read three times (dh, dx, dW): a chunk of them stays in L3.
  const index delta_row_bytes = groups * cell.lanes * cell.parts * cell.scalar_size;
  const index delta_rows = static_cast<index>(machine.l3) / 4 / std::max<index>(delta_row_bytes, 1);
  segment.delta_chunk_steps = steps_of(std::min(delta_rows, 2 * block_rows), dims.rows, kept);
  if (forced.chunk_steps) {
    segment.chunk_steps = std::clamp<index>(forced.chunk_steps, 1, std::max<index>(kept, 1));
    segment.delta_chunk_steps = segment.chunk_steps;
  }
  segment.interleaves_input =
      may_interleave(dims, cell, segment) &&
      (forced.interleaves_input ? *forced.interleaves_input
                                : worth_interleaving(dims, cell, machine, segment.threads));
  // The slots of a window's steps are one behind the other.
  if (segment.interleaves_input) segment.chunk_steps = round_up(segment.chunk_steps, input_window);
  // A partial sum never crosses a chunk, so chunks are whole blocks, counted from the last step.
  segment.delta_chunk_steps = round_up(segment.delta_chunk_steps, segment.block_steps);
  return {{segment}};
}

PlanSegment narrowed(const PlanSegment& plan, index steps, index rows) {
  assert(plan.threads == 1 && rows <= plan.rows && steps * rows <= plan.end * plan.rows);
  PlanSegment part = plan;
  part.end = steps;
  part.rows = rows;
  part.stretch_steps = steps;
  part.interleaves_input = plan.interleaves_input && steps >= 2 * input_window;
  part.chunk_steps = std::min(plan.chunk_steps * plan.rows / rows,
                              part.interleaves_input ? round_up(steps, input_window) : steps);
  return part;
}

StackPlan plan_stack(Purpose purpose, const StackDims& stack, const CellTraits& cell,
                     const Machine& machine, int threads, const Forced& forced) {
  const bool both = stack.directions == 2;
  const int team = std::max(forced.threads ? forced.threads : threads, 1);
  // No more workers than make a difference: 2 have 4 layers done as soon as 3.
  const index layers_each = ceil_div(stack.layers, team);
  const index workers = both ? std::min(team, 2) : ceil_div(stack.layers, layers_each);
  const index chunk = forced.chunk_steps ? std::min(forced.chunk_steps, stack.first.steps)
                                         : pipeline_chunk(stack.first.steps);
  StackPlan plan = {false, static_cast<int>(workers), both ? stack.first.steps : chunk};

  double one_by_one = 0;
  for (index layer = 0; layer < stack.layers; ++layer) {
    const Dims dims = stack.of(layer);
    const PlanSegment own = make_plan(purpose, dims, cell, machine, threads, forced).segments[0];
    // Threads that own rows do not wait for each other, and all are busy.
    if (own.partition == Partition::rows && own.threads > 1) return plan;
    const Costs costs = estimate(Purpose::inference, dims, cell, machine);
    one_by_one += static_cast<double>(stack.directions) *
                  alone_ns(own, costs, meetings_a_step(dims, cell), machine);
  }
  if (forced.pipelines) {
    plan.pipelines = *forced.pipelines;
  } else if (workers > 1) {
    const auto at_once_ns = both ? directions_at_once_ns : layers_at_once_ns;
    plan.pipelines = at_once_ns(plan, stack, cell, machine) < one_by_one;
  }
  return plan;
}

PlanSegment plan_part(Purpose purpose, const StackDims& stack, index layer, const StackPlan& plan,
                      const CellTraits& cell, const Machine& machine, int threads,
                      const Forced& forced) {
  const Dims dims = stack.of(layer);
  Forced alone = forced;
  alone.threads = 1;
  const PlanSegment single =
      make_plan(Purpose::inference, dims, cell, machine, 1, alone).segments.front();
  PlanSegment part = purpose == Purpose::inference
                         ? single
                         : make_plan(purpose, dims, cell, machine, threads, forced).segments[0];
  part.chunk_steps = single.chunk_steps;
  part.interleaves_input = single.interleaves_input;
  if (stack.directions == 1) {
    part.chunk_steps = plan.chunk_steps;
    part.interleaves_input = false;  // windows would look beyond the chunk
  }
  return part;
}

}  // namespace rnnfast
