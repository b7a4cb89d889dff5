#include "doors/tensorflow/node.hpp"

#include <stdexcept>

#include "doors/words.hpp"

namespace rnnfast::tensorflow {
namespace {

bool read_bool(TF_OpKernelConstruction* of, const char* name, TF_Status* status) {
  TF_Bool value = 0;
  c_api().get_attr_bool(of, name, &value, status);
  check(status);
  return value != 0;
}

std::size_t length_of(TF_OpKernelConstruction* of, const char* name, TF_Status* status) {
  std::int32_t length = 0;
  std::int32_t total = 0;
  c_api().get_attr_size(of, name, &length, &total, status);
  check(status);
  return static_cast<std::size_t>(length);
}

Words read_words(TF_OpKernelConstruction* of, const char* name, TF_Status* status) {
  Words words(length_of(of, name, status));
  c_api().get_attr_ints(of, name, words.data(), static_cast<int>(words.size()), status);
  check(status);
  return words;
}

}  // namespace

ScalarType read_scalar(TF_OpKernelConstruction* of, TF_Status* status) {
  TF_DataType type = TF_FLOAT;
  c_api().get_attr_type(of, "T", &type, status);
  check(status);
  return type == TF_FLOAT ? ScalarType::float32 : ScalarType::float64;
}

Recurrence read_recurrence(TF_OpKernelConstruction* of, TF_Status* status) {
  std::int64_t truncate = 0;
  c_api().get_attr_int(of, "truncate", &truncate, status);
  check(status);
  return {cell_from(read_words(of, "cell", status)), read_scalar(of, status),
          read_bool(of, "batch_first", status) ? Axes::batch_first : Axes::time_first,
          read_bool(of, "reverse", status) ? Direction::reverse : Direction::forward, truncate};
}

std::vector<bool> read_bools(TF_OpKernelConstruction* of, const char* name, TF_Status* status) {
  std::vector<TF_Bool> values(length_of(of, name, status));
  c_api().get_attr_bools(of, name, values.data(), static_cast<int>(values.size()), status);
  check(status);
  return {values.begin(), values.end()};
}

Shape::Shape(std::initializer_list<index> of) : axes(static_cast<int>(of.size())) {
  std::size_t axis = 0;
  for (const index size : of) sizes[axis++] = size;
}

std::string Shape::text() const {
  std::string all = "(";
  for (int axis = 0; axis < axes; ++axis) {
    all += std::to_string(sizes[static_cast<std::size_t>(axis)]) + (axis + 1 < axes ? ", " : "");
  }
  return all + (axes == 1 ? ",)" : ")");
}

Tensor input(TF_OpKernelContext* call, int number, TF_Status* status) {
  TF_Tensor* tensor = nullptr;
  c_api().get_input(call, number, &tensor, status);
  check(status);
  return Tensor(tensor);
}

Tensor output(TF_OpKernelContext* call, int number, TF_DataType type, const Shape& shape,
              std::size_t bytes, TF_Status* status) {
  Tensor tensor(
      c_api().allocate_output(call, number, type, shape.sizes.data(), shape.axes, bytes, status));
  check(status);
  return tensor;
}

Shape shape_of(const Tensor& tensor, const char* name) {
  Shape shape;
  shape.axes = c_api().num_dims(tensor.get());
  if (shape.axes > 3) {
    throw std::invalid_argument(std::string(name) + " must have 3 axes at most, got " +
                                std::to_string(shape.axes));
  }
  for (int axis = 0; axis < shape.axes; ++axis) {
    shape.sizes[static_cast<std::size_t>(axis)] = c_api().dim(tensor.get(), axis);
  }
  return shape;
}

}  // namespace rnnfast::tensorflow
