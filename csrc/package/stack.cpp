#include "package/stack.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "api/backend.hpp"
#include "base/threads.hpp"

namespace rnnfast {
namespace {

/// Steps [begin, end) of each sequence, in the order in which a direction takes them.
std::vector<index> spans_of(const SequencesCall& call, bool reverse) {
  std::vector<index> spans;
  if (!call.lengths) return spans;
  for (index b = 0; b < call.rows; ++b) {
    const index length = call.lengths[b];
    if (length < 1 || length > call.steps) {
      throw std::invalid_argument("a length must be from 1 to " + std::to_string(call.steps) +
                                  ", got " + std::to_string(length));
    }
    const index begin = reverse ? call.steps - length : 0;
    spans.insert(spans.end(), {begin, begin + length});
  }
  return spans;
}

/// Some columns of states (B, stride), as the dense array that a pass takes.
template <class T>
class StateColumns {
 public:
  StateColumns(index rows, index stride, index first, index width)
      : rows_(rows), stride_(stride), first_(first), width_(width) {
    dense_.resize(static_cast<std::size_t>(rows * width));
  }

  /// Null where the states are.
  const T* read(const void* states) {
    if (!states || width_ == 0) return nullptr;
    const T* from = static_cast<const T*>(states) + first_;
    for (index b = 0; b < rows_; ++b) {
      std::copy_n(from + b * stride_, width_, dense_.data() + b * width_);
    }
    return dense_.data();
  }
  T* data() { return width_ ? dense_.data() : nullptr; }
  void write(void* states) const {
    if (!states) return;
    T* to = static_cast<T*>(states) + first_;
    for (index b = 0; b < rows_; ++b) {
      std::copy_n(dense_.data() + b * width_, width_, to + b * stride_);
    }
  }

 private:
  index rows_, stride_, first_, width_;
  std::vector<T> dense_;
};

template <class T>
class SequencesPass {
 public:
  SequencesPass(const SequencesCall& call, int directions, index state_size)
      : call_(call),
        directions_(directions),
        state_size_(state_size),
        spans_{spans_of(call, false), spans_of(call, true)} {}

  void run(const std::vector<ServedLayer>& layers) {
    const auto* x = static_cast<const T*>(call_.x);
    std::vector<T> below, above;
    for (auto layer = layers.begin(); layer != layers.end(); layer += directions_) {
      const index width = directions_ * layer->output_width();
      auto* y = static_cast<T*>(call_.y);
      if (layer + directions_ != layers.end()) {
        above.resize(static_cast<std::size_t>(call_.steps * call_.rows * width));
        y = above.data();
      }
      for (int direction = 0; direction < directions_; ++direction) {
        run_direction(layer[direction], direction == 1, x, y, width);
      }
      std::swap(below, above);
      x = below.data();
    }
  }

 private:
  /// (T, B, width) numbers in the order in which they are taken.
  template <class Number>
  Sequence<Number> in_order(Number* data, index width, bool reverse) const {
    const index step = call_.rows * width;
    if (!reverse) return {data, step, width};
    return {data + (call_.steps - 1) * step, -step, width};
  }

  void run_direction(const ServedLayer& layer, bool reverse, const T* x, T* y, index width) {
    const Header& made = layer.header();
    const index R = layer.output_width();
    StateColumns<T> h(call_.rows, state_size_, state_, R);
    StateColumns<T> c(call_.rows, state_size_, state_ + R, layer.memory_width());
    state_ += R + layer.memory_width();

    Call call = {};
    call.dims = made.dims;
    call.dims.steps = call_.steps;
    call.dims.rows = call_.rows;
    const Sequence<const T> taken = in_order(x, made.dims.inputs, reverse);
    const Sequence<T> given = in_order(y + (reverse ? R : 0), width, reverse);
    call.x = {taken.data, taken.step_stride, taken.row_stride};
    call.y = {given.data, given.step_stride, given.row_stride};
    call.initial = {h.read(call_.before), c.read(call_.before)};
    call.last = {h.data(), c.data()};
    const std::vector<index>& spans = spans_[reverse];
    call.spans = spans.empty() ? nullptr : spans.data();
    call.masks = layer.masks();
    const CallPlan plan = cpu_backend().plan(layer.weights(), call.sizes());
    cpu_backend().forward(layer.weights(), call, plan);
    h.write(call_.after);
    c.write(call_.after);
  }

  const SequencesCall& call_;
  const int directions_;
  const index state_size_;
  const std::vector<index> spans_[2];
  index state_ = 0;  // numbers of the states before those of the next layer
};

}  // namespace

Stack::Stack(const DescribedStack& of, StorageType storage) : directions_(of.directions) {
  for (const DescribedLayer& layer : of.layers) {
    layers_.emplace_back(cpu_backend().pack(layer.weights, storage), layer.kept);
  }
  require_fit(layers_, directions_);
}

index Stack::state_size() const {
  index numbers = 0;
  for (const ServedLayer& layer : layers_) {
    numbers += layer.output_width() + layer.memory_width();
  }
  return numbers;
}

std::size_t Stack::bytes() const {
  std::size_t all = 0;
  for (const ServedLayer& layer : layers_) all += layer.weights().bytes();
  return all;
}

/// Before anything is written.
void Stack::require_states(const SequencesCall& call) const {
  if (!call.before) return;
  for (index b = 0; b < call.rows; ++b) {
    index at = b * state_size();
    for (const ServedLayer& layer : layers_) {
      layer.require_state(static_cast<const char*>(call.before) + at * size_of(scalar()));
      at += layer.output_width() + layer.memory_width();
    }
  }
}

void Stack::run(const SequencesCall& call) const {
  if (call.steps == 0 || call.rows == 0) return;
  require_states(call);
  const RunningCall running;
  with_scalar(scalar(), [&](auto zero) {
    SequencesPass<decltype(zero)>(call, directions_, state_size()).run(layers_);
  });
}

std::shared_ptr<const Model> Stack::served() const {
  if (directions_ == 1) return std::make_shared<const Model>(layers_);
  throw std::invalid_argument(
      "layers that run in both directions cannot be served step by step: a stream has no end from "
      "which the other direction could begin");
}

}  // namespace rnnfast
