// TensorFlow's C interface, as much of it as is used, declared by hand after
// tensorflow/c/kernels.h, ops.h, tf_status.h and tf_tensor.h. Its functions are found at run time,
// in libraries that the process has loaded: to build or to load this needs nothing of TensorFlow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rnnfast::tensorflow {

struct TF_KernelBuilder;
struct TF_OpDefinitionBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;
struct TF_ShapeHandle;
struct TF_ShapeInferenceContext;
struct TF_Status;
struct TF_Tensor;

using TF_Bool = unsigned char;
enum TF_Code : int {
  TF_OK = 0,
  TF_INVALID_ARGUMENT = 3,
  TF_RESOURCE_EXHAUSTED = 8,
  TF_INTERNAL = 13
};
enum TF_DataType : int { TF_FLOAT = 1, TF_DOUBLE = 2, TF_UINT8 = 4 };

/// The libraries of a host, of which one has the function that is looked for.
class Libraries {
 public:
  /// Paths of some that are loaded; those that are not are passed over.
  explicit Libraries(const std::vector<std::string>& paths);

  /// Takes the type of the pointer that it is assigned to. Throws std::runtime_error for a function
  /// that no library has.
  class Function {
   public:
    explicit Function(void* address) : address_(address) {}
    template <class Pointer>
    operator Pointer() const {
      return reinterpret_cast<Pointer>(address_);
    }

   private:
    void* address_;
  };
  Function operator[](const char* name) const;

 private:
  std::vector<void*> handles_;
};

struct CApi {
  explicit CApi(const Libraries& libraries) : in(libraries) {}
  Libraries in;

  // Status: what went wrong.
  TF_Status* (*new_status)() = in["TF_NewStatus"];
  void (*delete_status)(TF_Status*) = in["TF_DeleteStatus"];
  void (*set_status)(TF_Status*, TF_Code, const char* message) = in["TF_SetStatus"];
  TF_Code (*get_code)(const TF_Status*) = in["TF_GetCode"];
  const char* (*message)(const TF_Status*) = in["TF_Message"];

  // Tensors.
  void (*delete_tensor)(TF_Tensor*) = in["TF_DeleteTensor"];
  int (*num_dims)(const TF_Tensor*) = in["TF_NumDims"];
  std::int64_t (*dim)(const TF_Tensor*, int axis) = in["TF_Dim"];
  void* (*tensor_data)(const TF_Tensor*) = in["TF_TensorData"];

  // What an operation is.
  TF_OpDefinitionBuilder* (*new_op)(const char* name) = in["TF_NewOpDefinitionBuilder"];
  void (*add_attr)(TF_OpDefinitionBuilder*, const char*) = in["TF_OpDefinitionBuilderAddAttr"];
  void (*add_input)(TF_OpDefinitionBuilder*, const char*) = in["TF_OpDefinitionBuilderAddInput"];
  void (*add_output)(TF_OpDefinitionBuilder*, const char*) = in["TF_OpDefinitionBuilderAddOutput"];
  void (*set_shape_inference)(TF_OpDefinitionBuilder*,
                              void (*)(TF_ShapeInferenceContext*, TF_Status*)) =
      in["TF_OpDefinitionBuilderSetShapeInferenceFunction"];
  void (*register_op)(TF_OpDefinitionBuilder*, TF_Status*) = in["TF_RegisterOpDefinition"];

  // Shapes of its results.
  TF_ShapeHandle* (*new_shape)() = in["TF_NewShapeHandle"];
  void (*delete_shape)(TF_ShapeHandle*) = in["TF_DeleteShapeHandle"];
  void (*get_input_shape)(TF_ShapeInferenceContext*, int, TF_ShapeHandle*,
                          TF_Status*) = in["TF_ShapeInferenceContextGetInput"];
  void (*set_output_shape)(TF_ShapeInferenceContext*, int, TF_ShapeHandle*,
                           TF_Status*) = in["TF_ShapeInferenceContextSetOutput"];
  void (*set_unknown_shape)(TF_ShapeInferenceContext*,
                            TF_Status*) = in["TF_ShapeInferenceContextSetUnknownShape"];
  TF_ShapeHandle* (*vector_shape)(TF_ShapeInferenceContext*,
                                  std::size_t) = in["TF_ShapeInferenceContextVectorFromSize"];
  void (*with_rank)(TF_ShapeInferenceContext*, TF_ShapeHandle*, std::int64_t rank,
                    TF_ShapeHandle* result, TF_Status*) = in["TF_ShapeInferenceContextWithRank"];
  void (*subshape)(TF_ShapeInferenceContext*, TF_ShapeHandle*, std::int64_t begin, std::int64_t end,
                   TF_ShapeHandle* result, TF_Status*) = in["TF_ShapeInferenceContextSubshape"];
  void (*concatenate)(TF_ShapeInferenceContext*, TF_ShapeHandle*, TF_ShapeHandle*,
                      TF_ShapeHandle* result,
                      TF_Status*) = in["TF_ShapeInferenceContextConcatenateShapes"];

  // A kernel, and the attributes of the node that it is made for.
  TF_KernelBuilder* (*new_kernel)(const char* op, const char* device,
                                  void* (*create)(TF_OpKernelConstruction*),
                                  void (*compute)(void*, TF_OpKernelContext*),
                                  void (*destroy)(void*)) = in["TF_NewKernelBuilder"];
  void (*register_kernel)(const char* name, TF_KernelBuilder*,
                          TF_Status*) = in["TF_RegisterKernelBuilder"];
  void (*get_attr_size)(TF_OpKernelConstruction*, const char*, std::int32_t* length,
                        std::int32_t* total,
                        TF_Status*) = in["TF_OpKernelConstruction_GetAttrSize"];
  void (*get_attr_type)(TF_OpKernelConstruction*, const char*, TF_DataType*,
                        TF_Status*) = in["TF_OpKernelConstruction_GetAttrType"];
  void (*get_attr_bool)(TF_OpKernelConstruction*, const char*, TF_Bool*,
                        TF_Status*) = in["TF_OpKernelConstruction_GetAttrBool"];
  void (*get_attr_bools)(TF_OpKernelConstruction*, const char*, TF_Bool*, int room,
                         TF_Status*) = in["TF_OpKernelConstruction_GetAttrBoolList"];
  void (*get_attr_int)(TF_OpKernelConstruction*, const char*, std::int64_t*,
                       TF_Status*) = in["TF_OpKernelConstruction_GetAttrInt64"];
  void (*get_attr_ints)(TF_OpKernelConstruction*, const char*, std::int64_t*, int room,
                        TF_Status*) = in["TF_OpKernelConstruction_GetAttrInt64List"];
  void (*fail_construction)(TF_OpKernelConstruction*,
                            TF_Status*) = in["TF_OpKernelConstruction_Failure"];

  // A call of it.
  void (*get_input)(TF_OpKernelContext*, int, TF_Tensor**, TF_Status*) = in["TF_GetInput"];
  TF_Tensor* (*allocate_output)(TF_OpKernelContext*, int, TF_DataType, const std::int64_t* dims,
                                int num_dims, std::size_t bytes,
                                TF_Status*) = in["TF_AllocateOutput"];
  void (*fail)(TF_OpKernelContext*, TF_Status*) = in["TF_OpKernelContext_Failure"];
};

/// The functions, once `connect` has found them.
const CApi& c_api();
/// Throws std::runtime_error where one is missing.
void connect(const std::vector<std::string>& paths);

}  // namespace rnnfast::tensorflow
