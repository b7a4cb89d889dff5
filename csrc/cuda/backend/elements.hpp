// Arrays of up to four axes, number by number: what layers, masks and padding want beside passes.
//
//   to = value     to = a     to = a + b     to = a b
#pragma once

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

template <class T>
struct FillElements {
  T value;
  Strided<T> to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, to.sizes[DeviceView::axes - 1]);
    if (own.is_there()) m.store(to.at(own), value);
  }
};

template <class T>
struct CopyElements {
  Strided<T> from;
  Strided<T> to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, to.sizes[DeviceView::axes - 1]);
    if (own.is_there()) m.store(to.at(own), m.load(from.at(own)));
  }
};

template <class T>
struct AddElements {
  Strided<T> a;
  Strided<T> b;
  Strided<T> to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, to.sizes[DeviceView::axes - 1]);
    if (own.is_there()) m.store(to.at(own), m.load(a.at(own)) + m.load(b.at(own)));
  }
};

template <class T>
struct MultiplyElements {
  Strided<T> a;
  Strided<T> b;
  Strided<T> to;

  template <class Machine>
  RNNFAST_BOTH void operator()(Machine& m) const {
    const Element own = element_of(m, to.sizes[DeviceView::axes - 1]);
    if (own.is_there()) m.store(to.at(own), m.load(a.at(own)) * m.load(b.at(own)));
  }
};

/// Those of `DeviceStream`, on the device that passes run on.
template <class Device>
class Elements {
 public:
  explicit Elements(Device& device) : device_(device) {}

  void fill(ScalarType scalar, double value, const DeviceView& to) {
    with_scalar(scalar, [&](auto zero) {
      using T = decltype(zero);
      run(Strided<T>(to), FillElements<T>{static_cast<T>(value), Strided<T>(to)});
    });
  }
  void copy(ScalarType scalar, const DeviceView& from, const DeviceView& to) {
    with_scalar(scalar, [&](auto zero) {
      using T = decltype(zero);
      run(Strided<T>(to), CopyElements<T>{Strided<T>(from), Strided<T>(to)});
    });
  }
  void add(ScalarType scalar, const DeviceView& a, const DeviceView& b, const DeviceView& to) {
    with_scalar(scalar, [&](auto zero) {
      using T = decltype(zero);
      run(Strided<T>(to), AddElements<T>{Strided<T>(a), Strided<T>(b), Strided<T>(to)});
    });
  }
  void multiply(ScalarType scalar, const DeviceView& a, const DeviceView& b, const DeviceView& to) {
    with_scalar(scalar, [&](auto zero) {
      using T = decltype(zero);
      run(Strided<T>(to), MultiplyElements<T>{Strided<T>(a), Strided<T>(b), Strided<T>(to)});
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
