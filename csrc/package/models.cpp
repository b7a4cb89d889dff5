// Weights and models of the C interface.
#include "package/models.hpp"

#include <string>

#include "api/backend.hpp"
#include "package/precision.hpp"
#include "package/stack_file.hpp"
#include "package/status.hpp"

struct rnnfast_weights {
  rnnfast::SafetensorsFile file;
};

namespace rnnfast {
namespace {

ScalarType scalar_of(rnnfast_type type) {
  if (type == RNNFAST_FLOAT32) return ScalarType::float32;
  if (type == RNNFAST_FLOAT64) return ScalarType::float64;
  throw std::invalid_argument("the type of a layer must be RNNFAST_FLOAT32 or RNNFAST_FLOAT64");
}

const void* weight(const void* given, const char* name) {
  if (given) return given;
  throw std::invalid_argument(std::string("a layer must have ") + name);
}

DescribedLayer described(const rnnfast_layer& of) {
  if (of.size != sizeof of) {
    throw std::invalid_argument("size of a layer must be sizeof(rnnfast_layer)");
  }
  const CellSpec cell(&required(of.cell, "cell"));
  const ScalarType scalar = scalar_of(of.type);
  const CellTraits& traits = cpu_backend().traits(cell, scalar);
  if (of.inputs < 1 || of.units < 1 || of.projection < 0) {
    throw std::invalid_argument("inputs and units of a layer must be at least 1, projection 0");
  }
  if (of.projection && !traits.may_project) {
    throw std::invalid_argument(std::string(cell.name()) + " has no projection");
  }
  if (traits.unit_weights || traits.norm_rows) {
    throw std::invalid_argument(std::string(cell.name()) + " must come from a file");
  }
  Weights weights = {cell, scalar, {0, 0, of.inputs, of.units, of.projection}, {}};
  weights.arrays[WeightId::w_ih] = weight(of.w_ih, "w_ih");
  weights.arrays[WeightId::w_hh] = weight(of.w_hh, "w_hh");
  weights.arrays[WeightId::b_ih] = of.b_ih;
  weights.arrays[WeightId::b_hh] = of.b_hh;
  weights.arrays[WeightId::w_hr] = of.projection ? weight(of.w_hr, "w_hr") : nullptr;
  return {weights};
}

Stack packed(const DescribedStack& of, rnnfast_precision precision) {
  return Stack(of, storage_of(precision, of));
}

}  // namespace
}  // namespace rnnfast

using namespace rnnfast;

rnnfast_status rnnfast_weights_read(const char* path, rnnfast_weights** weights) {
  return reported([&] {
    required(weights, "weights") =
        new rnnfast_weights{SafetensorsFile::read(&required(path, "path"))};
  });
}

void rnnfast_weights_free(rnnfast_weights* weights) { delete weights; }

rnnfast_status rnnfast_weights_find(const rnnfast_weights* weights, const char* name,
                                    rnnfast_array* array) {
  return reported([&] {
    const FileArray& found = required(weights, "weights").file.array(&required(name, "name"));
    required(array, "array") = {found.dtype.c_str(), found.data, found.bytes, found.shape.size(),
                                found.shape.data()};
  });
}

rnnfast_status rnnfast_model_load(const char* path, rnnfast_precision precision,
                                  rnnfast_model** model) {
  return reported([&] {
    const StackFile read(SafetensorsFile::read(&required(path, "path")));
    required(model, "model") = new rnnfast_model(packed(read.stack(), precision));
  });
}

rnnfast_status rnnfast_model_make(const rnnfast_layer* layers, size_t count,
                                  rnnfast_precision precision, rnnfast_model** model) {
  return reported([&] {
    DescribedStack stack;
    for (std::size_t i = 0; i < count; ++i) {
      stack.layers.push_back(described((&required(layers, "layers"))[i]));
    }
    required(model, "model") = new rnnfast_model(packed(stack, precision));
  });
}

void rnnfast_model_free(rnnfast_model* model) { delete model; }

rnnfast_precision rnnfast_model_precision(const rnnfast_model* model) {
  return precision_of(model->stack.storage());
}
rnnfast_type rnnfast_model_type(const rnnfast_model* model) {
  return model->stack.scalar() == ScalarType::float32 ? RNNFAST_FLOAT32 : RNNFAST_FLOAT64;
}
ptrdiff_t rnnfast_model_inputs(const rnnfast_model* model) { return model->stack.inputs(); }
ptrdiff_t rnnfast_model_outputs(const rnnfast_model* model) { return model->stack.outputs(); }
size_t rnnfast_model_bytes(const rnnfast_model* model) { return model->stack.bytes(); }
ptrdiff_t rnnfast_model_state_size(const rnnfast_model* model) { return model->stack.state_size(); }

rnnfast_status rnnfast_model_run(const rnnfast_model* model, ptrdiff_t steps, ptrdiff_t rows,
                                 const void* x, const ptrdiff_t* lengths, const void* before,
                                 void* y, void* after) {
  return reported([&] {
    if (steps < 1 || rows < 1) throw std::invalid_argument("steps and rows must be at least 1");
    if (!x || !y) throw std::invalid_argument("x and y must not be NULL");
    required(model, "model").stack.run({steps, rows, x, lengths, before, y, after});
  });
}
