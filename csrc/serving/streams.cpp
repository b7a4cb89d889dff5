#include "serving/streams.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "api/cpu_alone.hpp"
#include "base/cpu.hpp"

namespace rnnfast {
namespace {

/// Whether two differ in x and y alone.
bool alike(const StreamSteps& a, const StreamSteps& b) {
  return a.steps == b.steps && a.rows == b.rows && a.which == b.which &&
         a.x.step_stride == b.x.step_stride && a.x.row_stride == b.x.row_stride &&
         a.y.step_stride == b.y.step_stride && a.y.row_stride == b.y.row_stride;
}

char* bytes_at(void* array, index numbers, ScalarType scalar) {
  return static_cast<char*>(array) + numbers * size_of(scalar);
}

}  // namespace

Streams::Streams(std::shared_ptr<const Model> model, index count, index steps, index rows)
    : model_(std::move(model)), count_(count) {
  const index number = size_of(model_->scalar());
  std::size_t work = 0;
  std::vector<std::size_t> standing;
  index handed = 0;
  for (index i = 0; i < model_->layers(); ++i) {
    layers_.push_back({plan_alone(model_->weights(i), steps, rows), {}, nullptr});
    const AloneBytes bytes = bytes_alone(model_->weights(i), layers_.back().plan);
    standing.push_back(bytes.standing);
    work = std::max(work, bytes.work);
    if (i > 0) handed = std::max(handed, model_->output_width(i - 1));
  }
  const auto place = [&](Bump bump) {
    for (index i = 0; i < model_->layers(); ++i) {
      auto& [plan, states, stands] = layers_[static_cast<std::size_t>(i)];
      states.h = bump.take<char>(count_ * model_->output_width(i) * number);
      const index width = model_->memory_width(i);
      states.c = width ? bump.take<char>(count_ * width * number) : nullptr;
      stands = bump.take<char>(static_cast<index>(standing[static_cast<std::size_t>(i)]));
    }
    for (void*& one : handed_) one = bump.take<char>(steps * rows * handed * number);
    work_ = bump.take<char>(static_cast<index>(work));
    return bump.used();
  };
  memory_ = Arena(place(Bump(nullptr)));
  // Now, or the system would make room for pages when they are first written: in a step.
  std::memset(memory_.data(), 0, memory_.size());
  place(Bump(memory_.data()));
}

States<void> Streams::state(index layer, index stream) const noexcept {
  assert(0 <= stream && stream < count_);
  const States<void>& all = layers_[static_cast<std::size_t>(layer)].states;
  const ScalarType scalar = model_->scalar();
  return {bytes_at(all.h, stream * model_->output_width(layer), scalar),
          all.c ? bytes_at(all.c, stream * model_->memory_width(layer), scalar) : nullptr};
}

void Streams::reset(index stream) noexcept {
  const index number = size_of(model_->scalar());
  for (index i = 0; i < model_->layers(); ++i) {
    const States<void> own = state(i, stream);
    std::memset(own.h, 0, static_cast<std::size_t>(model_->output_width(i) * number));
    if (own.c) std::memset(own.c, 0, static_cast<std::size_t>(model_->memory_width(i) * number));
  }
}

void Streams::take(const StreamSteps& next) noexcept {
  const KernelMode mode;
  if (!alike(next, ready_)) make_ready(next);
  const void* x = next.x.data;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    void* const y = i + 1 < layers_.size() ? handed_[i % 2] : next.y.data;
    take_alone(model_->weights(static_cast<index>(i)), layers_[i].standing, x, y);
    x = y;
  }
}

void Streams::make_ready(const StreamSteps& next) noexcept {
  Sequence<const void> x = next.x;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto number = static_cast<index>(i);
    const Layer& layer = layers_[i];
    const Packed& weights = model_->weights(number);
    Call call = {};
    call.dims = weights.header().dims;
    call.dims.steps = next.steps;
    call.dims.rows = next.rows;
    call.x = x;
    call.initial = {layer.states.h, layer.states.c};
    call.last = layer.states;
    const index width = model_->output_width(number);
    const Sequence<void> handed = {handed_[i % 2], next.rows * width, width};
    call.y = i + 1 < layers_.size() ? handed : next.y;
    call.masks = model_->masks(number);
    call.state_rows = next.which;
    rnnfast::make_ready(weights, call, layer.plan, work_, layer.standing);
    x = {call.y.data, call.y.step_stride, call.y.row_stride};
  }
  ready_ = next;
}

}  // namespace rnnfast
