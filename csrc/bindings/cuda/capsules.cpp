// Arrays of a device as DLPack's capsules. An array is known by its geometry: an ndarray over the
// device's addresses, at which nobody on the host looks.
#include <memory>
#include <vector>

#include "bindings/cuda/geometry.hpp"
#include "bindings/cuda/register.hpp"
#include "bindings/dlpack.hpp"

namespace rnnfast {
namespace {

constexpr const char* old_name = "dltensor";
constexpr const char* name = "dltensor_versioned";

/// What an exported tensor points to, until its deleter is called.
struct Exported {
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  PyObject* owner;
};

void let_go(void* context) {
  const std::unique_ptr<Exported> of(static_cast<Exported*>(context));
  if (!Py_IsInitialized()) return;
  const py::gil_scoped_acquire locked;
  Py_DECREF(of->owner);
}

template <class Managed>
void delete_tensor(Managed* of) {
  let_go(of->context);
  delete of;
}

/// Of a capsule that nobody has taken the tensor from.
template <class Managed>
void delete_capsule(PyObject* capsule) {
  const char* const now = PyCapsule_GetName(capsule);
  if (!PyCapsule_IsValid(capsule, now) || std::string(now).starts_with("used")) return;
  auto* const of = static_cast<Managed*>(PyCapsule_GetPointer(capsule, now));
  if (of && of->deleter) of->deleter(of);
}

std::uint8_t code_of(const py::dtype& dtype) {
  switch (dtype.num()) {
    case number_of_bool:
      return dlpack::boolean;
    case number_of_bfloat16:
      return dlpack::brain_floating;
    default:
      return dlpack::floating;
  }
}

dlpack::Tensor tensor_of(const py::array& geometry, int device, Exported& own) {
  const auto bytes = static_cast<index>(geometry.itemsize());
  for (py::ssize_t i = 0; i < geometry.ndim(); ++i) {
    own.shape.push_back(geometry.shape(i));
    own.strides.push_back(geometry.strides(i) / bytes);
  }
  return {const_cast<void*>(geometry.data()),
          {dlpack::cuda, device},
          static_cast<std::int32_t>(geometry.ndim()),
          {code_of(geometry.dtype()), static_cast<std::uint8_t>(8 * bytes), 1},
          own.shape.data(),
          own.strides.data(),
          0};
}

template <class Managed>
py::object capsule_of(std::unique_ptr<Managed> managed, const char* called, py::handle owner) {
  managed->deleter = &delete_tensor<Managed>;
  py::object capsule = py::reinterpret_steal<py::object>(
      PyCapsule_New(managed.get(), called, &delete_capsule<Managed>));
  if (!capsule) throw py::error_already_set();
  owner.inc_ref();
  managed.release();
  return capsule;
}

/// `owner` keeps the memory.
py::object exported(const py::array& geometry, int device, const py::object& owner,
                    bool versioned) {
  auto own = std::make_unique<Exported>();
  own->owner = owner.ptr();
  const dlpack::Tensor tensor = tensor_of(geometry, device, *own);
  if (versioned) {
    auto managed = std::make_unique<dlpack::ManagedTensor>();
    *managed = {{dlpack::major_version, 0}, own.get(), nullptr, 0, tensor};
    py::object capsule = capsule_of(std::move(managed), name, owner);
    own.release();
    return capsule;
  }
  auto managed = std::make_unique<dlpack::OldManagedTensor>();
  *managed = {tensor, own.get(), nullptr};
  py::object capsule = capsule_of(std::move(managed), old_name, owner);
  own.release();
  return capsule;
}

/// Takes the tensor from a capsule; returns what keeps it.
template <class Managed>
py::object taken(const py::object& capsule, Managed* managed, const char* used) {
  if (PyCapsule_SetName(capsule.ptr(), used) != 0) throw py::error_already_set();
  return py::capsule(managed, [](void* of) {
    auto* const tensor = static_cast<Managed*>(of);
    if (tensor->deleter) tensor->deleter(tensor);
  });
}

std::string type_text(const dlpack::DataType& type) {
  if (type.lanes != 1) return "vectors";
  const std::string bits = std::to_string(type.bits);
  switch (type.code) {
    case 0:
      return "int" + bits;
    case 1:
      return "uint" + bits;
    case 2:
      return "float" + bits;
    case 4:
      return "bfloat" + bits;
    case 5:
      return "complex" + bits;
    case 6:
      return "bool";
    default:
      return "type " + std::to_string(type.code) + " of " + bits + " bits";
  }
}

/// The address, the shape, strides in elements or None, the name of the type, its bytes, and what
/// keeps the tensor.
py::tuple opened(const py::object& capsule) {
  dlpack::Tensor tensor = {};
  py::object owner;
  if (PyCapsule_IsValid(capsule.ptr(), name)) {
    auto* const managed =
        static_cast<dlpack::ManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), name));
    if (managed->version.major != dlpack::major_version) {
      throw py::buffer_error("a tensor of DLPack " + std::to_string(managed->version.major) +
                             ", of which 1 is known here");
    }
    tensor = managed->tensor;
    owner = taken(capsule, managed, "used_dltensor_versioned");
  } else if (PyCapsule_IsValid(capsule.ptr(), old_name)) {
    auto* const managed =
        static_cast<dlpack::OldManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), old_name));
    tensor = managed->tensor;
    owner = taken(capsule, managed, "used_dltensor");
  } else {
    throw py::buffer_error("__dlpack__ must return a capsule with a tensor that nobody has taken");
  }
  const auto numbers = [&](const std::int64_t* of) {
    py::tuple found(static_cast<std::size_t>(tensor.dims));
    for (std::size_t i = 0; i < found.size(); ++i) found[i] = of[i];
    return found;
  };
  const py::object strides = tensor.strides ? py::object(numbers(tensor.strides)) : py::none();
  const auto address = reinterpret_cast<std::uintptr_t>(tensor.data) + tensor.byte_offset;
  return py::make_tuple(address, numbers(tensor.shape), strides, type_text(tensor.type),
                        tensor.type.bits / 8, owner);
}

}  // namespace

void register_capsules(py::module_& module) {
  module.def("exported", &exported);
  module.def("opened", &opened);
}

}  // namespace rnnfast
