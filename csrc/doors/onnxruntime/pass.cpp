#include "doors/onnxruntime/pass.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <stdexcept>

#include "base/threads.hpp"

namespace rnnfast::onnx {
namespace {

/// How long each sequence is, in the order in which the core takes steps.
class Lengths {
 public:
  Lengths(const Tensor& given, const PassSizes& sizes) : steps_(sizes.steps) {
    if (!given.data) return;
    given_ = {static_cast<const std::int32_t*>(given.data), static_cast<std::size_t>(sizes.rows)};
    differ_ = std::any_of(given_.begin(), given_.end(),
                          [&](std::int32_t length) { return length != sizes.steps; });
    if (!differ_) return;
    const auto longest = std::max_element(given_.begin(), given_.end());
    steps_ = longest == given_.end() ? 0 : *longest;
    for (auto& spans : spans_) spans.reserve(2 * given_.size());
    for (const index length : given_) {
      spans_[0].insert(spans_[0].end(), {0, length});
      spans_[1].insert(spans_[1].end(), {steps_ - length, steps_});
    }
  }

  /// Of the longest.
  index steps() const { return steps_; }
  /// The steps [begin, end) that each takes; null where all take all.
  const index* spans(bool reverse) const { return differ_ ? spans_[reverse].data() : nullptr; }
  bool is_empty(index row) const { return differ_ && given_[static_cast<std::size_t>(row)] == 0; }

 private:
  std::span<const std::int32_t> given_;
  index steps_;
  bool differ_ = false;
  std::vector<index> spans_[2];
};

/// Views of a call's tensors, of scalars of so many bytes, and rows of states that had to be
/// gathered.
class Pass {
 public:
  Pass(const PackedNode& node, ScalarType scalar, const PassSizes& sizes, const PassInputs& given,
       const PassOutputs& out)
      : node_(node),
        bytes_(size_of(scalar)),
        sizes_(sizes),
        given_(given),
        out_(out),
        lengths_(given.lengths, sizes),
        scatters_(sizes.batch_first && sizes.directions > 1) {
    const auto states = static_cast<std::size_t>(sizes.directions * state_bytes());
    if (!out.y && !out.y_h) unwanted_.resize(static_cast<std::size_t>(state_bytes()));
    if (scatters_) {
      if (given.initial_h.data) gather(given.initial_h.data, initial_h_);
      if (given.initial_c.data) gather(given.initial_c.data, initial_c_);
      if (out.y_h) last_h_.resize(states);
      if (out.y_c) last_c_.resize(states);
    }
  }

  bool is_empty() const { return sizes_.rows == 0 || lengths_.steps() == 0; }

  Call call(index direction) {
    const bool reverse = node_.directions[static_cast<std::size_t>(direction)].reverse;
    Call call = {};
    call.dims = {lengths_.steps(), sizes_.rows, node_.inputs, sizes_.units};
    call.x = in_time(x(), reverse);
    call.initial = {state(given_.initial_h.data, initial_h_, direction),
                    state(given_.initial_c.data, initial_c_, direction)};
    call.last = {state(out_.y_h, last_h_, direction), state(out_.y_c, last_c_, direction)};
    if (out_.y) {
      call.y = in_time(y(direction), reverse);
    } else {
      // Each step over the one before: what stays is the last.
      char* const kept = unwanted_.empty() ? static_cast<char*>(call.last.h) : unwanted_.data();
      call.y = {kept, 0, sizes_.units};
    }
    call.spans = lengths_.spans(reverse);
    return call;
  }

  /// After the calls of all directions.
  void finish() {
    if (scatters_ && out_.y_h) scatter(last_h_, out_.y_h);
    if (scatters_ && out_.y_c) scatter(last_c_, out_.y_c);
    for (index row = 0; row < sizes_.rows; ++row) {
      if (!lengths_.is_empty(row)) continue;
      for (index direction = 0; direction < sizes_.directions; ++direction) {
        clear_state(out_.y_h, direction, row);
        clear_state(out_.y_c, direction, row);
      }
    }
    clear_later_steps();
  }

  /// In place of any call.
  void clear() {
    const auto states = static_cast<std::size_t>(sizes_.directions * state_bytes());
    if (out_.y) std::memset(out_.y, 0, states * static_cast<std::size_t>(sizes_.steps));
    if (out_.y_h) std::memset(out_.y_h, 0, states);
    if (out_.y_c) std::memset(out_.y_c, 0, states);
  }

 private:
  index row_bytes() const { return sizes_.units * bytes_; }
  index state_bytes() const { return sizes_.rows * row_bytes(); }

  Sequence<const void> x() const {
    const index row = node_.inputs;
    if (sizes_.batch_first) return {given_.x.data, row, sizes_.steps * row};
    return {given_.x.data, sizes_.rows * row, row};
  }

  Sequence<void> y(index direction) const {
    const index row = sizes_.units;
    const index step = sizes_.directions * row;
    if (sizes_.batch_first) {
      return {static_cast<char*>(out_.y) + direction * row_bytes(), step, sizes_.steps * step};
    }
    return {static_cast<char*>(out_.y) + direction * state_bytes(), sizes_.rows * step, row};
  }

  /// In the order in which steps are taken.
  template <class T>
  Sequence<T> in_time(Sequence<T> sequence, bool reverse) const {
    if (!reverse) return sequence;
    using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
    const index last = (lengths_.steps() - 1) * sequence.step_stride * bytes_;
    return {static_cast<Byte*>(sequence.data) + last, -sequence.step_stride, sequence.row_stride};
  }

  /// The state of a direction, (B, H).
  void* state(void* all, std::vector<char>& gathered, index direction) const {
    if (!all) return nullptr;
    char* const from = scatters_ ? gathered.data() : static_cast<char*>(all);
    return from + direction * state_bytes();
  }

  char* row_of(void* states, index direction, index row) const {
    const index number =
        sizes_.batch_first ? row * sizes_.directions + direction : direction * sizes_.rows + row;
    return static_cast<char*>(states) + number * row_bytes();
  }

  /// body(a row of ONNX's states, bytes from the first of those that are gathered)
  template <class Body>
  void for_rows(void* states, Body&& body) const {
    for (index direction = 0; direction < sizes_.directions; ++direction) {
      for (index row = 0; row < sizes_.rows; ++row) {
        body(row_of(states, direction, row), direction * state_bytes() + row * row_bytes());
      }
    }
  }

  void gather(void* states, std::vector<char>& to) const {
    to.resize(static_cast<std::size_t>(sizes_.directions * state_bytes()));
    for_rows(states, [&](const char* row, index at) {
      std::memcpy(to.data() + at, row, static_cast<std::size_t>(row_bytes()));
    });
  }

  void scatter(const std::vector<char>& from, void* states) const {
    for_rows(states, [&](char* row, index at) {
      std::memcpy(row, from.data() + at, static_cast<std::size_t>(row_bytes()));
    });
  }

  void clear_state(void* states, index direction, index row) const {
    if (!states) return;
    std::memset(row_of(states, direction, row), 0, static_cast<std::size_t>(row_bytes()));
  }

  /// Those that no sequence takes.
  void clear_later_steps() const {
    const index later = sizes_.steps - lengths_.steps();
    if (!out_.y || later == 0) return;
    const index blocks = sizes_.batch_first ? sizes_.rows : 1;
    const index step = sizes_.directions * state_bytes() / blocks;
    for (index block = 0; block < blocks; ++block) {
      char* const begin =
          static_cast<char*>(out_.y) + (block * sizes_.steps + lengths_.steps()) * step;
      std::memset(begin, 0, static_cast<std::size_t>(later * step));
    }
  }

  const PackedNode& node_;
  const index bytes_;
  const PassSizes& sizes_;
  const PassInputs& given_;
  const PassOutputs& out_;
  const Lengths lengths_;
  const bool scatters_;  // states of a direction do not lie in one piece
  std::vector<char> initial_h_, initial_c_, last_h_, last_c_;
  std::vector<char> unwanted_;  // a state, where nobody wants any h
};

}  // namespace

std::vector<std::int64_t> PassSizes::shape_of_y() const {
  if (batch_first) return {rows, steps, directions, units};
  return {steps, directions, rows, units};
}

std::vector<std::int64_t> PassSizes::shape_of_state() const {
  if (batch_first) return {rows, directions, units};
  return {directions, rows, units};
}

PassSizes sizes_of(const PackedNode& node, bool batch_first, const PassInputs& given) {
  const std::vector<std::int64_t>& x = given.x.shape;
  if (x.size() != 3 || x[2] != node.inputs) {
    throw std::invalid_argument("X must have 3 axes, the last of " + std::to_string(node.inputs) +
                                " as W has, got the shape " + shape_text(x));
  }
  const PassSizes sizes = {static_cast<index>(x[batch_first]), static_cast<index>(x[!batch_first]),
                           static_cast<index>(node.directions.size()), node.units, batch_first};
  require_shape("sequence_lens", given.lengths, {sizes.rows});
  require_shape("initial_h", given.initial_h, sizes.shape_of_state());
  require_shape("initial_c", given.initial_c, sizes.shape_of_state());
  if (!given.lengths.data) return sizes;
  const auto* const lengths = static_cast<const std::int32_t*>(given.lengths.data);
  for (index row = 0; row < sizes.rows; ++row) {
    if (lengths[row] >= 0 && lengths[row] <= sizes.steps) continue;
    throw std::invalid_argument("sequence_lens must be from 0 to " + std::to_string(sizes.steps) +
                                ", the steps of X, got " + std::to_string(lengths[row]) +
                                " at row " + std::to_string(row));
  }
  return sizes;
}

void run_pass(const PackedNode& node, const PassSizes& sizes, const PassInputs& given,
              const PassOutputs& out) {
  const Precision precision = node.packed[0].header().precision();
  Pass pass(node, precision.scalar, sizes, given, out);
  if (pass.is_empty()) return pass.clear();
  const Backend& backend = cpu_backend();
  const CellSpec& cell = node.directions[0].cell;
  if (sizes.directions == 2 && are_alike(node.directions[0], node.directions[1])) {
    const StackDims dims = {pass.call(0).dims, 1, 2};
    const StackPlan plan = backend.plan_layers(Purpose::inference, cell, precision, dims);
    if (plan.pipelines) {
      const CallPlan each =
          backend.plan_each(Purpose::inference, cell, precision, dims, plan).front();
      LayersCall both = {cell, precision, 2, plan, {}};
      for (index i = 0; i < 2; ++i) {
        both.layers.push_back({pass.call(i), each, {}, &node.packed[static_cast<std::size_t>(i)]});
      }
      const RunningCall running;
      backend.forward_layers(both);
      return pass.finish();
    }
  }
  for (index i = 0; i < sizes.directions; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Call call = pass.call(i);
    const CallPlan plan = backend.plan(node.packed[at], call.sizes());
    const RunningCall running;
    backend.forward(node.packed[at], call, plan);
  }
  pass.finish();
}

}  // namespace rnnfast::onnx
