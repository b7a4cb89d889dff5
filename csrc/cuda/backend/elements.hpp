// Arrays of up to four axes, number by number: what layers, masks and padding want beside passes.
//
//   to = value     to = a     to = a + b     to = a mask
//
// Sums and products are of the scalar, and so is the mask, whatever is stored (cuda/stored.hpp).
#pragma once

#include <stdexcept>

#include "api/device.hpp"
#include "api/scalar.hpp"
#include "cuda/general/device.hpp"

namespace rnnfast {
namespace {

/// The elements that a thread takes, of an array's last axis.
template <class T>
struct Strided {
  T* first;
  index sizes[DeviceView::axes];
  index strides[DeviceView::axes];

  explicit Strided(const DeviceView& of) : first(static_cast<T*>(of.data)) {
    for (int axis = 0; axis < DeviceView::axes; ++axis) {
      sizes[axis] = of.sizes[axis];
      strides[axis] = of.strides[axis];
    }
  }

  index width() const { return sizes[DeviceView::axes - 1]; }
  index rows() const {
    index count = 1;
    for (int axis = 0; axis < DeviceView::axes - 1; ++axis) count *= sizes[axis];
    return count;
  }

  RNNFAST_BOTH T* at(const Element& own) const {
    T* found = first + own.unit * strides[DeviceView::axes - 1];
    index row = own.row;
    RNNFAST_UNROLL(4)
    for (int axis = DeviceView::axes - 2; axis >= 0; --axis) {
      found += row % sizes[axis] * strides[axis];
      row /= sizes[axis];
    }
    return found;
  }
};

template <class Stored>
struct FillElements {
  Stored value;
  Strided<Stored> to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, to.sizes[DeviceView::axes - 1]);
    if (own.is_there()) m.store(to.at(own), value);
  }
};

template <class Stored>
struct CopyElements {
  Strided<Stored> from;
  Strided<Stored> to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, to.sizes[DeviceView::axes - 1]);
    if (own.is_there()) m.store(to.at(own), m.load(from.at(own)));
  }
};

template <class Stored>
struct AddElements {
  using T = ScalarOf<Stored>;
  Strided<Stored> a;
  Strided<Stored> b;
  Strided<Stored> to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, to.sizes[DeviceView::axes - 1]);
    if (!own.is_there()) return;
    store_as(m, to.at(own), load_as<T>(m, a.at(own)) + load_as<T>(m, b.at(own)));
  }
};

template <class Stored>
struct MaskElements {
  using T = ScalarOf<Stored>;
  Strided<Stored> from;
  Strided<T> mask;
  Strided<Stored> to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, to.sizes[DeviceView::axes - 1]);
    if (!own.is_there()) return;
    store_as(m, to.at(own), load_as<T>(m, from.at(own)) * m.load(mask.at(own)));
  }
};

/// Calls body(Stored{}) with the C++ type of the numbers of arrays.
template <class Body>
void with_stored(StorageType type, Body&& body) {
  switch (type) {
    case StorageType::float32:
      return body(float{});
    case StorageType::float64:
      return body(double{});
    case StorageType::bfloat16:
      return body(Bfloat16{});
    case StorageType::float16:
      return body(Float16{});
    case StorageType::int8:
    case StorageType::sparse:
      break;
  }
  throw std::invalid_argument("arrays of a device are of floating point");
}

/// Those of `DeviceStream`, on the device that passes run on.
template <class Device>
class Elements {
 public:
  explicit Elements(Device& device) : device_(device) {}

  void fill(StorageType type, double value, const DeviceView& to) {
    with_stored(type, [&](auto zero) {
      using Stored = decltype(zero);
      const auto number = converted<Stored>(static_cast<ScalarOf<Stored>>(value));
      run(Strided<Stored>(to), FillElements<Stored>{number, Strided<Stored>(to)});
    });
  }
  void copy(StorageType type, const DeviceView& from, const DeviceView& to) {
    with_stored(type, [&](auto zero) {
      using Stored = decltype(zero);
      run(Strided<Stored>(to), CopyElements<Stored>{Strided<Stored>(from), Strided<Stored>(to)});
    });
  }
  void add(StorageType type, const DeviceView& a, const DeviceView& b, const DeviceView& to) {
    with_stored(type, [&](auto zero) {
      using Stored = decltype(zero);
      run(Strided<Stored>(to),
          AddElements<Stored>{Strided<Stored>(a), Strided<Stored>(b), Strided<Stored>(to)});
    });
  }
  void apply_mask(StorageType type, const DeviceView& from, const DeviceView& mask,
                  const DeviceView& to) {
    with_stored(type, [&](auto zero) {
      using Stored = decltype(zero);
      run(Strided<Stored>(to),
          MaskElements<Stored>{Strided<Stored>(from), Strided<ScalarOf<Stored>>(mask),
                               Strided<Stored>(to)});
    });
  }

 private:
  template <class T, class Kernel>
  void run(const Strided<T>& to, const Kernel& kernel) {
    if (to.width() > 0) run_elements(device_, to.rows(), to.width(), kernel);
  }

  Device& device_;
};

}  // namespace
}  // namespace rnnfast
