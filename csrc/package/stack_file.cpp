#include "package/stack_file.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "api/backend.hpp"

namespace rnnfast {
namespace {

const Json& member(const Json::Object& object, const char* name) {
  if (const Json* found = find(object, name)) return *found;
  throw FileError(std::string("it has no \"") + name + '"');
}

/// What is said of the kernel that runs.
Json::Object kernel_of(const SafetensorsFile& file) {
  const auto note = file.metadata().find("rnnfast");
  if (note == file.metadata().end()) {
    throw FileError("it was not written by rnnfast; python -m rnnfast.convert makes such a file");
  }
  const Json read = Json::parse(note->second);
  const Json::Object& said = read.object("the note of rnnfast");
  if (const index version = member(said, "version").integer("version"); version != 1) {
    throw FileError("it is of format " + std::to_string(version) + ", this rnnfast reads 1");
  }
  if (const std::string& kind = member(said, "kind").string("kind"); kind != "weights") {
    throw FileError("it holds a \"" + kind + "\", not weights");
  }
  const Json::Object& state = member(said, "state").object("state");
  const Json* const reverse = find(member(state, "options").object("options"), "reverse");
  if (reverse && reverse->boolean("reverse")) {
    throw FileError("its layers run in reverse alone, which only Python's functions do");
  }
  return member(state, "kernel").object("kernel");
}

/// A number, or what stands for none.
double number_or(const Json& value, double absent) {
  return value.is_null() ? absent : value.number("a number of an activation");
}

/// [function, alpha, beta, lowest, highest, clip]; the last three are null where there is no bound.
ActivationChoice activation_of(const Json& said) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Json::Array& fields = said.array("an activation");
  if (fields.size() != 6) throw FileError("an activation must have 6 fields");
  return {activation_named(fields[0].string("the name of an activation")),
          fields[1].number("alpha"),
          fields[2].number("beta"),
          number_or(fields[3], -infinity),
          number_or(fields[4], infinity),
          number_or(fields[5], infinity)};
}

CellSpec cell_of(const Json::Object& kernel) {
  const std::string& name = member(kernel, "cell").string("cell");
  const Json& activations = member(kernel, "activations");
  if (activations.is_null()) return CellSpec(name);
  std::vector<ActivationChoice> chosen;
  for (const Json& one : activations.array("activations")) chosen.push_back(activation_of(one));
  return CellSpec(name, chosen);
}

Kept kept_of(const Json::Object& kernel) {
  const Json::Array& rates = member(kernel, "zoneout").array("zoneout");
  if (rates.size() > 2) throw FileError("zoneout must have at most two rates");
  const auto rate = [&](std::size_t i) {
    const double value = i < rates.size() ? rates[i].number("zoneout") : 0;
    if (value >= 0 && value <= 1) return value;
    throw FileError("zoneout must be from 0 to 1");
  };
  return {rate(0), rate(1)};
}

bool is_sparse(const Json::Object& kernel) {
  const Json* const sparse = find(kernel, "sparse");
  return sparse && sparse->boolean("sparse");
}

const FileArray* find_array(const SafetensorsFile& file, const std::string& name) {
  const auto found = file.arrays().find(name);
  return found == file.arrays().end() ? nullptr : &found->second;
}

index axis(const FileArray& array, const std::string& name, std::size_t i) {
  if (array.shape.size() == 2 && array.shape[i] > 0) return array.shape[i];
  throw FileError(name + " must be a matrix");
}

}  // namespace

StackFile::StackFile(const SafetensorsFile& file) {
  try {
    const Json::Object kernel = kernel_of(file);
    const CellSpec cell = cell_of(kernel);
    const Kept kept = kept_of(kernel);
    const bool twice = file.array("weight_ih_l0").dtype == "F64";
    stack_.sparse = is_sparse(kernel);
    stack_.directions = find_array(file, "weight_ih_l0_reverse") ? 2 : 1;
    for (index layer = 0; find_array(file, "weight_ih_l" + std::to_string(layer)); ++layer) {
      for (int direction = 0; direction < stack_.directions; ++direction) {
        const std::string suffix = "_l" + std::to_string(layer) + (direction ? "_reverse" : "");
        twice ? add_layer<double>(file, cell, kept, suffix)
              : add_layer<float>(file, cell, kept, suffix);
      }
    }
  } catch (const std::invalid_argument& error) {  // a cell that this library does not know
    throw FileError(error.what());
  }
}

/// A copy that is aligned, of an array that must be of this shape.
template <class T>
const void* StackFile::copied(const FileArray* array, const std::string& name,
                              const std::vector<index>& shape) {
  if (!array) return nullptr;
  const char* const dtype = sizeof(T) == 4 ? "F32" : "F64";
  if (array->dtype != dtype) throw FileError(name + " is of " + array->dtype + ", not " + dtype);
  if (array->shape != shape) throw FileError(name + " is of another shape than the weights");
  arrays_.emplace_back(array->bytes);
  std::memcpy(arrays_.back().data(), array->data, array->bytes);
  return arrays_.back().data();
}

/// The same of one that may be of bytes, with a scale for each row in an array beside it.
template <class T>
const void* StackFile::matrix(const SafetensorsFile& file, const std::string& name,
                              const std::vector<index>& shape, const float*& scales) {
  const FileArray& array = file.array(name);
  if (array.dtype != "I8" || sizeof(T) != sizeof(float)) return copied<T>(&array, name, shape);
  if (array.shape != shape) throw FileError(name + " is of another shape than the weights");
  const std::string of_scales = name + "_scale";
  scales =
      static_cast<const float*>(copied<float>(&file.array(of_scales), of_scales, {shape.front()}));
  const auto* const bytes = reinterpret_cast<const signed char*>(array.data);
  arrays_.emplace_back(array.bytes * sizeof(float));
  auto* const numbers = reinterpret_cast<float*>(arrays_.back().data());
  for (index row = 0; row < shape[0]; ++row) {
    const float scale = scales[row];
    if (!(scale > 0) || std::isinf(scale)) throw FileError(of_scales + " must be more than 0");
    for (index i = row * shape[1]; i < (row + 1) * shape[1]; ++i) {
      numbers[i] = static_cast<float>(bytes[i]) * scale;
    }
  }
  return numbers;
}

template <class T>
void StackFile::add_layer(const SafetensorsFile& file, const CellSpec& cell, const Kept& kept,
                          const std::string& suffix) {
  const ScalarType scalar = sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64;
  const CellTraits& traits = cpu_backend().traits(cell, scalar);
  const index G = traits.gates;
  const FileArray& w_ih = file.array("weight_ih" + suffix);
  const FileArray& w_hh = file.array("weight_hh" + suffix);
  const FileArray* const w_hr = find_array(file, "weight_hr" + suffix);
  const index I = axis(w_ih, "weight_ih" + suffix, 1);
  const index R = axis(w_hh, "weight_hh" + suffix, 1);
  const index H = w_hr ? axis(*w_hr, "weight_hr" + suffix, 1) : R;
  if (w_hr && !traits.may_project) throw FileError("weight_hr" + suffix + ", of a cell without");

  Weights weights = {cell, scalar, {0, 0, I, H, w_hr ? R : 0}, {}};
  const auto take = [&](WeightId id, const char* name, const std::vector<index>& shape) {
    weights.arrays[id] = copied<T>(find_array(file, name + suffix), name + suffix, shape);
  };
  RowScales& scales = weights.arrays.scales;
  weights.arrays[WeightId::w_ih] = matrix<T>(file, "weight_ih" + suffix, {G * H, I}, scales.ih);
  weights.arrays[WeightId::w_hh] = matrix<T>(file, "weight_hh" + suffix, {G * H, R}, scales.hh);
  take(WeightId::b_ih, "bias_ih", {G * H});
  take(WeightId::b_hh, "bias_hh", {G * H});
  take(WeightId::w_hr, "weight_hr", {R, H});
  take(WeightId::of_units, "weight_peephole", {traits.unit_weights * H});
  take(WeightId::of_norms, "weight_norm", {traits.norm_rows * H});
  if (traits.unit_weights && !weights.arrays[WeightId::of_units]) {
    throw FileError("it has no weight_peephole" + suffix);
  }
  if (traits.norm_rows && !weights.arrays[WeightId::of_norms]) {
    throw FileError("it has no weight_norm" + suffix);
  }
  stack_.layers.push_back({weights, kept});
}

}  // namespace rnnfast
