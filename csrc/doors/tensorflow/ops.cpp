#include "doors/tensorflow/ops.hpp"

#include <initializer_list>
#include <stdexcept>

#include "doors/flat_call.hpp"
#include "doors/tensorflow/kernels.hpp"
#include "doors/tensorflow/shapes.hpp"
#include "doors/tensorflow/status.hpp"

namespace rnnfast::tensorflow {
namespace {

struct Op {
  const char* name;
  const Kernel& kernel;
  void (*infer)(TF_ShapeInferenceContext*, TF_Status*);
  std::initializer_list<const char*> attributes;
  std::initializer_list<const char*> inputs;  // beside the operands
  std::initializer_list<const char*> outputs;
};

constexpr auto scalar = "T: {float, double}";

const Op ops[] = {
    {"RnnfastForward",
     forward_kernel,
     &infer_forward,
     {scalar, "cell: list(int)", "batch_first: bool = false", "reverse: bool = false",
      "truncate: int = 0"},
     {},
     {"y: T", "h_n: T", "c_n: T"}},
    {"RnnfastForwardSaving",
     forward_saving_kernel,
     &infer_forward,
     {scalar, "cell: list(int)", "batch_first: bool = false", "reverse: bool = false",
      "truncate: int = 0"},
     {},
     {"y: T", "h_n: T", "c_n: T", "tape: uint8"}},
    {"RnnfastBackward",
     backward_kernel,
     &infer_backward,
     {scalar, "wanted: list(bool)", "N: int >= 0"},
     {"tape: uint8", "dy: T", "dh_n: T", "dc_n: T"},
     {"gradients: N * T"}},
};

const char* type_of(Operand which) {
  return which == Operand::lengths ? "int32" : which == Operand::resets ? "bool" : "T";
}

/// Throws what a status says.
void require_well(const TF_Status* status) {
  if (!is_well(status)) throw std::runtime_error(c_api().message(status));
}

void define(const Op& op) {
  TF_OpDefinitionBuilder* const builder = c_api().new_op(op.name);
  for (const char* attribute : op.attributes) c_api().add_attr(builder, attribute);
  for (std::size_t i = 0; i < operand_count; ++i) {
    const std::string input =
        std::string(operand_names[i]) + ": " + type_of(static_cast<Operand>(i));
    c_api().add_input(builder, input.c_str());
  }
  for (const char* input : op.inputs) c_api().add_input(builder, input);
  for (const char* output : op.outputs) c_api().add_output(builder, output);
  c_api().set_shape_inference(builder, op.infer);
  const Status status;
  c_api().register_op(builder, status);  // and takes the builder
  require_well(status);
}

void give_kernel(const Op& op) {
  const Kernel& kernel = op.kernel;
  const Status status;
  c_api().register_kernel(
      op.name, c_api().new_kernel(op.name, "CPU", kernel.create, kernel.compute, kernel.destroy),
      status);
  require_well(status);
}

bool registered = false;

}  // namespace

void register_ops(const std::vector<std::string>& paths) {
  if (registered) return;
  connect(paths);
  for (const Op& op : ops) {
    define(op);
    give_kernel(op);
  }
  registered = true;
}

}  // namespace rnnfast::tensorflow
