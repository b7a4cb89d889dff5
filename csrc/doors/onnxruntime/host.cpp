#include "doors/onnxruntime/host.hpp"

#include <string_view>

namespace rnnfast::onnx {
namespace {

// Places in the table.
enum : int {
  create_status = 0,
  get_error_message = 2,
  create_custom_op_domain = 26,
  custom_op_domain_add = 27,
  add_custom_op_domain = 28,
  get_tensor_mutable_data = 51,
  get_dimensions_count = 61,
  get_dimensions = 62,
  get_tensor_type_and_shape = 65,
  allocator_free = 76,
  get_allocator_with_default_options = 78,
  get_attribute_float = 85,
  get_attribute_int64 = 86,
  get_attribute_string = 87,
  kernel_context_get_input_count = 88,
  kernel_context_get_input = 90,
  kernel_context_get_output = 91,
  release_status = 93,
  release_tensor_type_and_shape = 99,
  get_attribute_array_float = 162,
  kernel_info_get_input_count = 230,
  kernel_info_get_input_name = 232,
  kernel_info_get_node_name = 244,
  get_constant_input_tensor = 249,
  kernel_context_parallel_for = 274,
  get_attribute_array_string = 417
};

}  // namespace

std::string Host::take_message(Status* status) const {
  const auto message = reinterpret_cast<const char* (*)(const Status*)>(table_[get_error_message]);
  std::string text = message(status);
  reinterpret_cast<void (*)(Status*)>(table_[release_status])(status);
  return text;
}

template <class... Arguments>
void Host::require(int place, Arguments... arguments) const {
  if (Status* const status = call(place, arguments...)) throw HostError(take_message(status));
}

template <class... Arguments>
bool Host::succeeds(int place, Arguments... arguments) const {
  Status* const status = call(place, arguments...);
  if (status) take_message(status);
  return !status;
}

Status* Host::status(ErrorCode code, const char* message) const {
  return call(create_status, static_cast<int>(code), message);
}

OperatorDomain* Host::create_domain(const char* name) const {
  OperatorDomain* domain = nullptr;
  require(create_custom_op_domain, name, &domain);
  return domain;
}

void Host::add_operator(OperatorDomain* domain, const CustomOperator& op) const {
  require(custom_op_domain_add, domain, &op);
}

void Host::add_domain(SessionOptions* options, OperatorDomain* domain) const {
  require(add_custom_op_domain, options, domain);
}

bool Host::integer(const KernelInfo* of, const char* name, std::int64_t& value) const {
  return succeeds(get_attribute_int64, of, name, &value);
}

bool Host::number(const KernelInfo* of, const char* name, float& value) const {
  return succeeds(get_attribute_float, of, name, &value);
}

bool Host::text(const KernelInfo* of, const char* name, std::string& value) const {
  std::size_t size = 0;
  if (!succeeds(get_attribute_string, of, name, static_cast<char*>(nullptr), &size)) return false;
  std::string found(size, '\0');  // with a zero at its end
  require(get_attribute_string, of, name, found.data(), &size);
  value = found.c_str();
  return true;
}

std::vector<float> Host::numbers(const KernelInfo* of, const char* name) const {
  std::size_t size = 0;
  if (!succeeds(get_attribute_array_float, of, name, static_cast<float*>(nullptr), &size)) {
    return {};
  }
  std::vector<float> values(size);
  if (size) require(get_attribute_array_float, of, name, values.data(), &size);
  return values;
}

std::vector<std::string> Host::texts(const KernelInfo* of, const char* name) const {
  if (!has_texts_) {
    // That it is there is seen from the error that it is of another type than a single text.
    std::size_t size = 0;
    Status* const status = call(get_attribute_string, of, name, static_cast<char*>(nullptr), &size);
    if (status && take_message(status).find("No attribute with") != std::string::npos) return {};
    throw std::invalid_argument(std::string(name) +
                                " can be told from version 1.25 of ONNX Runtime on; make the "
                                "session with rnnfast.interop.onnx.InferenceSession, which leaves "
                                "such models to ONNX Runtime");
  }
  Allocator* allocator = nullptr;
  require(get_allocator_with_default_options, &allocator);
  char** found = nullptr;
  std::size_t size = 0;
  if (!succeeds(get_attribute_array_string, of, name, allocator, &found, &size)) return {};
  std::vector<std::string> values;
  const auto free = [&](void* memory) { succeeds(allocator_free, allocator, memory); };
  for (std::size_t i = 0; i < size; ++i) {
    values.emplace_back(found[i]);
    free(found[i]);
  }
  if (found) free(found);
  return values;
}

std::string Host::node_name(const KernelInfo* of) const {
  std::size_t size = 0;
  require(kernel_info_get_node_name, of, static_cast<char*>(nullptr), &size);
  std::string name(size, '\0');
  if (size) require(kernel_info_get_node_name, of, name.data(), &size);
  return name.c_str();
}

bool Host::has_input(const KernelInfo* of, std::size_t number) const {
  std::size_t count = 0;
  require(kernel_info_get_input_count, of, &count);
  if (number >= count) return false;
  std::size_t size = 0;  // of its name, with a zero at its end
  require(kernel_info_get_input_name, of, number, static_cast<char*>(nullptr), &size);
  return size > 1;
}

bool Host::constant_input(const KernelInfo* of, std::size_t number, Tensor& found) const {
  int is_constant = 0;
  const Value* value = nullptr;
  require(get_constant_input_tensor, of, number, &is_constant, &value);
  if (is_constant && value) found = tensor(value);
  return is_constant && value;
}

Tensor Host::tensor(const Value* value) const {
  TensorInfo* info = nullptr;
  require(get_tensor_type_and_shape, value, &info);
  std::size_t axes = 0;
  Tensor found;
  const bool known = succeeds(get_dimensions_count, info, &axes);
  found.shape.resize(axes);
  const bool shaped = known && succeeds(get_dimensions, info, found.shape.data(), axes);
  reinterpret_cast<void (*)(TensorInfo*)>(table_[release_tensor_type_and_shape])(info);
  if (!shaped) throw HostError("a tensor without a shape");
  require(get_tensor_mutable_data, value, &found.data);
  // Of a tensor without elements there may be no memory; it is there nevertheless.
  static char nothing;
  if (!found.data) found.data = &nothing;
  return found;
}

Tensor Host::input(const KernelContext* of, std::size_t number) const {
  std::size_t count = 0;
  require(kernel_context_get_input_count, of, &count);
  if (number >= count) return {};
  const Value* value = nullptr;
  require(kernel_context_get_input, of, number, &value);
  return value ? tensor(value) : Tensor{};
}

void* Host::output(KernelContext* of, std::size_t number,
                   const std::vector<std::int64_t>& shape) const {
  Value* value = nullptr;
  require(kernel_context_get_output, of, number, shape.data(), shape.size(), &value);
  if (!value) return nullptr;
  void* data = nullptr;
  require(get_tensor_mutable_data, value, &data);
  return data;
}

void Host::parallel_for(const KernelContext* of, std::size_t count,
                        void (*work)(void*, std::size_t), void* context) const {
  require(kernel_context_parallel_for, of, work, count, std::size_t{0}, context);
}

}  // namespace rnnfast::onnx
