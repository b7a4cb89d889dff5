// Views of arrays of a scalar type that is known by an enum, as views of its C++ type.
#pragma once

#include "call/passes.hpp"

namespace rnnfast {

template <class T>
Sequence<const T> typed(const Sequence<const void>& of) {
  return {static_cast<const T*>(of.data), of.step_stride, of.row_stride};
}
template <class T>
Sequence<T> typed(const Sequence<void>& of) {
  return {static_cast<T*>(of.data), of.step_stride, of.row_stride};
}

template <class T>
States<const T> typed(const States<const void>& of) {
  return {static_cast<const T*>(of.h), static_cast<const T*>(of.c)};
}
template <class T>
States<T> typed(const States<void>& of) {
  return {static_cast<T*>(of.h), static_cast<T*>(of.c)};
}

template <class T>
Masks<T> typed(const Masks<void>& of) {
  return {static_cast<const T*>(of.recurrent), typed<T>(of.kept_h), typed<T>(of.kept_c)};
}

template <class T>
WeightSet<const T> typed(const WeightSet<const void>& of) {
  WeightSet<const T> set;
  for (int i = 0; i < weight_count; ++i) set.arrays[i] = static_cast<const T*>(of.arrays[i]);
  set.scales = of.scales;
  return set;
}
template <class T>
WeightSet<T> typed(const WeightSet<void>& of) {
  WeightSet<T> set;
  for (int i = 0; i < weight_count; ++i) set.arrays[i] = static_cast<T*>(of.arrays[i]);
  return set;
}

template <class T>
Gradients<T> typed(const Gradients<void>& of) {
  return {typed<T>(of.x), typed<T>(of.weights), typed<T>(of.initial), of.of_sequences};
}

}  // namespace rnnfast
