// Tensors of a framework, read where they lie and made, through its DLPack exchange table.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <new>
#include <utility>

#include "bindings/arrays.hpp"
#include "bindings/dlpack.hpp"

namespace rnnfast {

/// A tensor of two or three axes, borrowed: shape and strides are the framework's.
using TensorView = dlpack::Tensor;

template <class T>
bool is_of(const TensorView& view) {
  return view.type.code == dlpack::floating && view.type.bits == 8 * sizeof(T) &&
         view.type.lanes == 1;
}

template <class T>
T* pointer(const TensorView& view) {
  return reinterpret_cast<T*>(static_cast<char*>(view.data) + view.byte_offset);
}

/// Whether a tensor has this shape.
inline bool has_shape(const TensorView& view, std::initializer_list<index> shape) {
  if (view.dims != static_cast<int>(shape.size())) return false;
  const std::int64_t* at = view.shape;
  for (const index size : shape) {
    if (*at++ != size) return false;
  }
  return true;
}

/// Whether a tensor lies as an array of its shape does.
inline bool is_dense(const TensorView& view) {
  index stride = 1;
  for (int i = view.dims - 1; i >= 0; --i) {
    if (view.shape[i] != 1 && view.strides[i] != stride) return false;
    stride *= view.shape[i];
  }
  return true;
}

/// Whether its rows, along the last axis, are dense.
inline bool has_dense_rows(const TensorView& view) {
  const int last = view.dims - 1;
  return view.shape[last] == 1 || view.strides[last] == 1;
}

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

  /// Looks at a tensor; false for what is none, is not on the CPU or does not hold its numbers as
  /// they are.
  bool look(py::handle object, TensorView& view) const {
    const auto* type = reinterpret_cast<PyObject*>(Py_TYPE(object.ptr()));
    if (type != type_.ptr() && type != also_.ptr()) return false;
    if (table_->from_object(object.ptr(), &view) != 0) {
      PyErr_Clear();
      return false;
    }
    return view.device.type == dlpack::cpu && !is_negated(object);
  }

  /// A new dense tensor and its elements, which are not set.
  template <class T>
  std::pair<py::object, T*> make(std::initializer_list<index> shape) const {
    auto owner = std::make_unique<Owner>();
    dlpack::ManagedTensor& managed = owner->managed;
    const auto rank = static_cast<int>(shape.size());
    index count = 1;
    for (int i = rank - 1; i >= 0; --i) {
      const index size = shape.begin()[i];
      owner->shape[static_cast<std::size_t>(i)] = size;
      owner->strides[static_cast<std::size_t>(i)] = count;
      count *= size;
    }
    owner->data.reset(::operator new(static_cast<std::size_t>(count) * sizeof(T), alignment));
    T* const data = static_cast<T*>(owner->data.get());
    managed = {{dlpack::major_version, 0},
               owner.get(),
               [](dlpack::ManagedTensor* done) { delete static_cast<Owner*>(done->context); },
               0,
               {data,
                {dlpack::cpu, 0},
                rank,
                {dlpack::floating, 8 * sizeof(T), 1},
                owner->shape.data(),
                owner->strides.data(),
                0}};
    void* object = nullptr;
    if (table_->to_object(&managed, &object) != 0) throw py::error_already_set();
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
    std::array<std::int64_t, 3> shape;
    std::array<std::int64_t, 3> strides;
    std::unique_ptr<void, Free> data;
  };

  py::object type_;
  py::object also_;
  py::str is_neg_{"is_neg"};
  const dlpack::Exchange* table_ = nullptr;
};

}  // namespace rnnfast
