// Several layers at once: how they would run, the calls of all parts, and memory for them in one
// arena.
#include <pybind11/stl.h>

#include <tuple>
#include <vector>

#include "bindings/packed.hpp"
#include "bindings/register.hpp"
#include "bindings/tape.hpp"

namespace rnnfast {
namespace {

/// The parts of a stack, layer by layer, and what they point to.
template <class T>
struct Stack {
  std::vector<StackPart<T>> parts;
  std::vector<std::vector<SequenceRow>> rows;  // of each part, whose call reads them
};

/// Bytes between what one worker writes and another's, so that no prefetcher strays there.
constexpr std::size_t apart = 1024;

/// Gives each part its memory, `saved` excepted, and runs `function`. `work_bytes` is that of the
/// same function.
template <class T>
void run_parts(const CellKernels<T>& kernels, std::vector<StackPart<T>>& parts,
               const StackPlan& plan, index directions,
               std::size_t (*work_bytes)(const Dims&, const PlanSegment&),
               void (*function)(const StackCall<T>&)) {
  struct Sizes {
    std::size_t packed;
    std::size_t work;
  };
  std::vector<Sizes> sizes;
  std::size_t total = 0;
  for (const StackPart<T>& part : parts) {
    const Dims& dims = part.call.dims;
    sizes.push_back(
        {part.packed ? 0 : kernels.packed_bytes(dims), work_bytes(dims, part.plan) + apart});
    total += sizes.back().packed + sizes.back().work;
  }
  const Arena memory(total);
  char* free = memory.data();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].packed) parts[i].packed = free;
    free += sizes[i].packed;
    parts[i].work = free;
    free += sizes[i].work;
  }
  const auto layers = static_cast<index>(parts.size()) / directions;
  function({parts.data(), layers, directions, plan});
}

/// How layers, the first with these weights, run at once: threads, and the steps of a chunk. None
/// if they run one by one.
py::object plan_layers(const py::object& cell, const py::array& x, const py::tuple& weights,
                       index layers, index directions, bool training) {
  const Purpose purpose = training ? Purpose::training : Purpose::inference;
  const StackDims stack = {dims_of(x, dims_of(weights)), layers, directions};
  return with_scalar(x.dtype(), [&](auto scalar) -> py::object {
    const CellTraits& traits = CellChoice(cell).kernels<decltype(scalar)>().traits;
    const StackPlan plan = plan_stack_call(purpose, stack, traits);
    if (!plan.pipelines) return py::none();
    return py::make_tuple(plan.threads, plan.chunk_steps);
  });
}

/// The sizes of weights, packed or not.
Dims weight_dims(const py::object& weights) {
  return PyTuple_Check(weights.ptr()) ? dims_of(py::tuple(weights))
                                      : weights.cast<const Packed&>().dims();
}

/// Of each layer and direction x, its weights (packed or not), h0, c0, spans, resets, y, h_n, c_n.
template <class T>
Stack<T> stack_of(const CellChoice& cell, Purpose purpose, const StackPlan& plan, index directions,
                  const py::list& parts) {
  const auto at = [](const py::handle& part, int i) {
    return py::reinterpret_borrow<py::object>(PyTuple_GET_ITEM(part.ptr(), i));
  };
  const auto layers = static_cast<index>(parts.size()) / directions;
  const py::array x = at(parts[0], 0);
  const StackDims sizes = {dims_of(x, weight_dims(at(parts[0], 1))), layers, directions};
  const std::vector<PlanSegment> plans = plan_parts(purpose, sizes, plan, cell.kernels<T>().traits);
  Stack<T> stack;
  for (const py::handle& part : parts) {
    const index layer = static_cast<index>(stack.parts.size()) / directions;
    const PlanSegment& own = plans[static_cast<std::size_t>(layer)];
    stack.rows.push_back(rows_of(at(part, 4), own));
    StackPart<T> made = {
        forward_call<T>(sizes.of(layer), at(part, 0), at(part, 2), at(part, 3), at(part, 6),
                        at(part, 7), at(part, 8), stack.rows.back(), at(part, 5), cell),
        own,
        {},
        nullptr,
        nullptr,
        nullptr};
    const py::object weights = at(part, 1);
    if (PyTuple_Check(weights.ptr())) {
      made.weights = weights_of<const T>(weights);
    } else {
      made.packed = weights.cast<const Packed&>().data();
    }
    stack.parts.push_back(made);
  }
  return stack;
}

void forward_layers(const py::object& cell, const std::tuple<int, index>& plan, index directions,
                    const py::list& parts) {
  const py::array x = py::tuple(parts[0])[0];
  with_scalar(x.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    const CellChoice choice(cell);
    const CellKernels<T>& kernels = choice.kernels<T>();
    const StackPlan chosen = {true, std::get<0>(plan), std::get<1>(plan)};
    Stack<T> stack = stack_of<T>(choice, Purpose::inference, chosen, directions, parts);
    without_gil([&] {
      run_parts(kernels, stack.parts, chosen, directions, kernels.stack_work, kernels.stack);
    });
  });
}

std::vector<Tape> forward_layers_saving(const py::object& cell, const std::tuple<int, index>& plan,
                                        index directions, const py::list& parts) {
  const py::array x = py::tuple(parts[0])[0];
  return with_scalar(x.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    const CellChoice choice(cell);
    const CellKernels<T>& kernels = choice.kernels<T>();
    const StackPlan chosen = {true, std::get<0>(plan), std::get<1>(plan)};
    Stack<T> stack = stack_of<T>(choice, Purpose::training, chosen, directions, parts);
    std::vector<Arena> saved;
    without_gil([&] {
      for (StackPart<T>& part : stack.parts) {
        saved.emplace_back(kernels.saved_bytes(part.call.dims, part.plan));
        part.saved = saved.back().data();
      }
      run_parts(kernels, stack.parts, chosen, directions, kernels.stack_work_saving,
                kernels.stack_saving);
    });
    std::vector<Tape> tapes;
    for (std::size_t i = 0; i < stack.parts.size(); ++i) {
      const StackPart<T>& part = stack.parts[i];
      tapes.emplace_back(choice, scalar_of<T>(), Purpose::training, part.call.dims, part.plan,
                         std::move(stack.rows[i]), std::move(saved[i]));
    }
    return tapes;
  });
}

}  // namespace

void register_stacks(py::module_& module) {
  module.def("plan_layers", &plan_layers);
  module.def("forward_layers", &forward_layers);
  module.def("forward_layers_saving", &forward_layers_saving);
}

}  // namespace rnnfast
