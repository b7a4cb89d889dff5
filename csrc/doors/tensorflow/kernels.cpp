#include "doors/tensorflow/kernels.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "doors/flat_tape.hpp"
#include "doors/tensorflow/node.hpp"
#include "doors/tensorflow/operands.hpp"

namespace rnnfast::tensorflow {
namespace {

std::atomic<long long> finished_calls{0};

constexpr int first_after_operands = operand_count;

TF_DataType type_of(ScalarType scalar) {
  return scalar == ScalarType::float32 ? TF_FLOAT : TF_DOUBLE;
}

/// Where there is no step or no row, there is nothing to plan.
PlannedCall planned(Purpose purpose, const FlatCall& call) {
  if (!is_empty(call)) return {call, plan_flat(purpose, call)};
  return {call, {purpose, &cpu_backend().traits(call.cell, call.scalar), call.dims, {}}};
}

std::size_t bytes_of(const Shape& shape, ScalarType scalar) {
  index elements = 1;
  for (int axis = 0; axis < shape.axes; ++axis) {
    elements *= shape.sizes[static_cast<std::size_t>(axis)];
  }
  return static_cast<std::size_t>(elements * size_of(scalar));
}

/// The shapes of y, h_n and c_n.
std::array<Shape, 3> shapes_of_results(const FlatCall& call) {
  const bool has_memory = cpu_backend().traits(call.cell, call.scalar).has_memory;
  return {shape_of(call, Operand::kept_h), shape_of(call, Operand::h0),
          has_memory ? shape_of(call, Operand::c0) : absent};
}

/// y, h_n and c_n, to be written.
struct ResultTensors {
  std::array<Tensor, 3> tensors;
  FlatResults results;

  ResultTensors(TF_OpKernelContext* context, const FlatCall& call, TF_Status* status) {
    const std::array<Shape, 3> shapes = shapes_of_results(call);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      tensors[i] = output(context, static_cast<int>(i), type_of(call.scalar), shapes[i],
                          bytes_of(shapes[i], call.scalar), status);
    }
    results = {data(tensors[0]), data(tensors[1]),
               shapes[2] == absent ? nullptr : data(tensors[2])};
  }
};

void forward(const Recurrence& of, TF_OpKernelContext* context, TF_Status* status) {
  const OperandTensors operands(context, status);
  const FlatCall call = operands.call(of);
  const ResultTensors made(context, call, status);
  forward_flat(call, planned(Purpose::inference, call).plan, operands.data(), made.results);
}

void forward_saving(const Recurrence& of, TF_OpKernelContext* context, TF_Status* status) {
  const OperandTensors operands(context, status);
  const FlatCall call = operands.call(of);
  const PlannedCall plan = planned(Purpose::training, call);
  const ResultTensors made(context, call, status);
  const std::size_t bytes = flat_tape_bytes(plan);
  const Tensor tape = output(context, 3, TF_UINT8, {static_cast<index>(bytes)}, bytes, status);
  forward_saving_flat(plan, operands.data(), made.results, {static_cast<char*>(data(tape)), bytes});
}

/// The gradients that a node is to give: "wanted" has an item for each operand that may have one.
struct Wanted {
  ScalarType scalar;
  std::array<bool, differentiable_count> all = {};
};

Wanted read_wanted(TF_OpKernelConstruction* of, TF_Status* status) {
  const std::vector<bool> given = read_bools(of, "wanted", status);
  std::int64_t outputs = 0;
  c_api().get_attr_int(of, "N", &outputs, status);
  check(status);
  Wanted wanted = {read_scalar(of, status)};
  if (given.size() != wanted.all.size() ||
      std::count(given.begin(), given.end(), true) != outputs) {
    throw std::invalid_argument("wanted must have " + std::to_string(wanted.all.size()) +
                                " items, as many of them true as N says");
  }
  std::copy(given.begin(), given.end(), wanted.all.begin());
  return wanted;
}

/// dL/d(y, h_n, c_n).
struct UpstreamTensors {
  std::array<Tensor, 3> tensors;
  FlatUpstream above;

  UpstreamTensors(TF_OpKernelContext* context, const FlatCall& call, TF_Status* status) {
    static constexpr std::array<const char*, 3> names = {"dy", "dh_n", "dc_n"};
    const std::array<Shape, 3> shapes = shapes_of_results(call);
    std::array<const void*, 3> found = {};
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      tensors[i] = input(context, first_after_operands + 1 + static_cast<int>(i), status);
      const Shape got = shape_of(tensors[i], names[i]);
      if (got == absent) continue;
      if (got != shapes[i]) {
        throw std::invalid_argument(std::string(names[i]) + " must have shape " + shapes[i].text() +
                                    ", got shape " + got.text());
      }
      found[i] = data(tensors[i]);
    }
    above = {found[0], found[1], found[2]};
  }
};

void backward(const Wanted& wanted, TF_OpKernelContext* context, TF_Status* status) {
  const OperandTensors operands(context, status);
  const Tensor memory = input(context, first_after_operands, status);
  const Shape size = shape_of(memory, "tape");
  const FlatTape tape = read_flat_tape({static_cast<const char*>(data(memory)),
                                        static_cast<std::size_t>(size.axes ? size.sizes[0] : 0)});
  const FlatCall& call = tape.made.call;
  if (call.scalar != wanted.scalar) {
    throw std::invalid_argument(
        "the tape of a pass of rnnfast is of another type than its operands");
  }
  operands.require(call);
  const UpstreamTensors above(context, call, status);
  std::array<Tensor, differentiable_count> gradients;
  OperandGradients out;
  int number = 0;
  for (std::size_t i = 0; i < differentiable_count; ++i) {
    if (!wanted.all[i]) continue;
    if (i > 0 && !call.has.all[i]) {
      throw std::invalid_argument(std::string(operand_names[i]) + " has no gradient, it is absent");
    }
    const Shape shape = shape_of(call, static_cast<Operand>(i));
    gradients[i] = output(context, number++, type_of(call.scalar), shape,
                          bytes_of(shape, call.scalar), status);
    out.all[i] = data(gradients[i]);
  }
  backward_flat(tape, operands.data(), above.above, out);
}

/// A kernel from how a node's attributes are read, and what a call of it does.
template <auto read, auto run>
constexpr Kernel kernel() {
  using Attributes = decltype(read(nullptr, nullptr));
  return {[](TF_OpKernelConstruction* of) -> void* {
            const Status status;
            Attributes* made = nullptr;
            guarded(status, [&] { made = new Attributes(read(of, status)); });
            if (!made) c_api().fail_construction(of, status);
            return made;
          },
          [](void* attributes, TF_OpKernelContext* context) {
            const Status status;
            guarded(status,
                    [&] { run(*static_cast<const Attributes*>(attributes), context, status); });
            if (is_well(status)) {
              finished_calls.fetch_add(1, std::memory_order_relaxed);
            } else {
              c_api().fail(context, status);
            }
          },
          [](void* attributes) { delete static_cast<Attributes*>(attributes); }};
}

}  // namespace

const Kernel forward_kernel = kernel<read_recurrence, forward>();
const Kernel forward_saving_kernel = kernel<read_recurrence, forward_saving>();
const Kernel backward_kernel = kernel<read_wanted, backward>();

long long calls() { return finished_calls.load(std::memory_order_relaxed); }

}  // namespace rnnfast::tensorflow
