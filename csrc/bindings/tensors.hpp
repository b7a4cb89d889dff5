// Tensors of a framework, read where they lie and made, through its DLPack exchange table.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>

#include "bindings/dlpack.hpp"
#include "bindings/views.hpp"

namespace rnnfast {

constexpr std::uint8_t bits_of(ScalarType scalar) {
  return static_cast<std::uint8_t>(8 * size_of(scalar));
}

/// None for a type that kernels do not compute in.
inline std::optional<ScalarType> scalar_of(const dlpack::DataType& type) {
  if (type.code != dlpack::floating || type.lanes != 1) return std::nullopt;
  for (const ScalarType scalar : {ScalarType::float32, ScalarType::float64}) {
    if (type.bits == bits_of(scalar)) return scalar;
  }
  return std::nullopt;
}

/// A tensor as it is, borrowed.
struct TensorView : View {
  dlpack::DataType type;
};

/// The exchange table of a class of tensors.
class Exchange {
 public:
  /// Of tensors of exactly this class or of `also`, one that derives from it. Raises TypeError if
  /// it has no table that is known here.
  Exchange(const py::object& type, const py::object& also) : type_(type), also_(also) {
    const py::object capsule = py::getattr(type, "__dlpack_c_exchange_api__", py::none());
    if (PyCapsule_IsValid(capsule.ptr(), dlpack::exchange_name)) {
      table_ = static_cast<const dlpack::Exchange*>(
          PyCapsule_GetPointer(capsule.ptr(), dlpack::exchange_name));
      while (table_ && table_->version.major != dlpack::major_version) table_ = table_->previous;
    }
    if (!table_ || !table_->from_object) {
      throw py::type_error("tensors of this class cannot be exchanged");
    }
  }

  /// Looks at a tensor of up to three axes; false for what is none, is not on the CPU or does not
  /// hold its numbers as they are.
  bool look(py::handle object, TensorView& view) const {
    const auto* type = reinterpret_cast<PyObject*>(Py_TYPE(object.ptr()));
    if (type != type_.ptr() && type != also_.ptr()) return false;
    dlpack::Tensor tensor;
    if (table_->from_object(object.ptr(), &tensor) != 0) {
      PyErr_Clear();
      return false;
    }
    if (tensor.dims > Shape::most_axes) return false;
    if (tensor.device.type != dlpack::cpu || is_negated(object)) return false;
    view.data = static_cast<char*>(tensor.data) + tensor.byte_offset;
    view.type = tensor.type;
    view.shape.axes = tensor.dims;
    for (int i = 0; i < tensor.dims; ++i) {
      view.shape.sizes[static_cast<std::size_t>(i)] = tensor.shape[i];
      view.strides[static_cast<std::size_t>(i)] = tensor.strides[i];
    }
    return true;
  }

  /// A new dense tensor.
  NewArray make(ScalarType scalar, const Shape& shape) const {
    auto owner = std::make_unique<Owner>();
    index count = 1;
    for (auto i = static_cast<std::size_t>(shape.axes); i-- > 0;) {
      owner->shape[i] = shape.sizes[i];
      owner->strides[i] = count;
      count *= shape.sizes[i];
    }
    owner->data.reset(::operator new(static_cast<std::size_t>(count * size_of(scalar)), alignment));
    void* const data = owner->data.get();
    owner->managed = {
        {dlpack::major_version, 0},
        owner.get(),
        [](dlpack::ManagedTensor* done) { delete static_cast<Owner*>(done->context); },
        0,
        {data,
         {dlpack::cpu, 0},
         shape.axes,
         {dlpack::floating, bits_of(scalar), 1},
         owner->shape.data(),
         owner->strides.data(),
         0}};
    void* object = nullptr;
    if (table_->to_object(&owner->managed, &object) != 0) throw py::error_already_set();
    owner.release();  // the tensor's from here on
    return {py::reinterpret_steal<py::object>(static_cast<PyObject*>(object)), data};
  }

 private:
  static constexpr std::align_val_t alignment{64};

  /// Whether the numbers are those in memory with another sign.
  bool is_negated(py::handle object) const {
    PyObject* const answer = PyObject_CallMethodNoArgs(object.ptr(), is_neg_.ptr());
    if (!answer) throw py::error_already_set();
    Py_DECREF(answer);
    return answer != Py_False;
  }

  struct Free {
    void operator()(void* data) const { ::operator delete(data, alignment); }
  };

  struct Owner {
    dlpack::ManagedTensor managed;
    std::array<std::int64_t, Shape::most_axes> shape;
    std::array<std::int64_t, Shape::most_axes> strides;
    std::unique_ptr<void, Free> data;
  };

  py::object type_;
  py::object also_;
  py::str is_neg_{"is_neg"};
  const dlpack::Exchange* table_ = nullptr;
};

/// Tensors of one scalar type (bindings/new_results.hpp).
class TensorDoor {
 public:
  TensorDoor(const Exchange& exchange, ScalarType scalar) : exchange_(exchange), scalar_(scalar) {}

  bool look(py::handle object, View& view) const {
    TensorView seen;
    if (!exchange_.look(object, seen) || scalar_of(seen.type) != scalar_) return false;
    view = seen;
    return true;
  }
  NewArray make(const Shape& shape) const { return exchange_.make(scalar_, shape); }

 private:
  const Exchange& exchange_;
  ScalarType scalar_;
};

}  // namespace rnnfast
