// The operands of products of bytes (gemm/quantize.hpp): h in private rows beside those of floats,
// x a block at a time.
#pragma once

#include "cpu/forward/operand_rows.hpp"
#include "gemm/byte_products.hpp"

namespace rnnfast {
namespace {

template <class Shape>
class OperandRows<Shape, W8> {
  using A = W8::A;
  using Step = ForwardStep<Shape, float>;
  static constexpr index N = lanes<float>;

 public:
  explicit OperandRows(const ForwardContext<Shape, W8>& of)
      : call_(of.call), history_(of.history), rows_(of.work), own_(of.work.operands) {}

  /// Of a phase that the share has begun.
  QuantizedRows recurrent(int phase, const Step& step, const Share& share) const {
    return {{operand_at(phase, step.number), rows_.state_rows + step.rows.begin, own_.row},
            scales_of(share) + step.rows.begin};
  }
  /// Copies that a share makes.
  QuantizedRows inputs(const index* offsets, index count, const Share& share) const {
    A* const x = own_.x + share.id * own_.x_rows * own_.x_row;
    index* const numbers = own_.x_numbers + share.id * own_.x_rows;
    float* const scales = own_.x_scales + share.id * own_.x_scale_row;
    count_up(numbers, count);
    for (index i = 0; i < count; ++i) {
      const float* const row = call_.x.data + offsets[i];
      scales[i] = quantize_row(row, call_.dims.inputs, bytes_of(x + i * own_.x_row));
    }
    return {{x, numbers, own_.x_row}, scales};
  }
  index inputs_at_once() const { return own_.x_rows; }

  /// Some groups of what a phase multiplies at a step are there.
  void made(int phase, index step, Span rows, Span groups) const {
    const float* const from = history_.operand_at(phase, step);
    A* const to = operand_at(phase, step);
    for (index r = rows.begin; r < rows.end; ++r) {
      const float* const h = from + rows_.state_rows[r] * history_.outputs.row();
      std::uint8_t* const bytes = bytes_of(to + rows_.state_rows[r] * own_.row);
      for (index group = groups.begin; group < groups.end; ++group) {
        quantize_units(load(h + group * N), bytes + group * N);
      }
    }
  }
  /// A share will make some groups: it asks for their lines, which others have read, ahead.
  void will_make(int phase, index step, Span rows, Span groups) const {
    constexpr index line = static_cast<index>(cache_line);
    for (index r = rows.begin; r < rows.end; ++r) {
      const std::uint8_t* const row =
          bytes_of(operand_at(phase, step) + rows_.state_rows[r] * own_.row);
      for (index i = groups.begin * N; i < groups.end * N; i += line) ask_to_write(row + i);
    }
  }
  /// A share begins with a phase's product: which rows have NaN, each finds out for itself.
  void begin(int phase, const Step& step, const Share& share) const {
    float* const scales = scales_of(share);
    for (index r = step.rows.begin; r < step.rows.end; ++r) {
      const A* const row = operand_at(phase, step.number) + rows_.state_rows[r] * own_.row;
      scales[r] = scale_of_unit_row(bytes_of(row), history_.outputs.units);
    }
  }

 private:
  static std::uint8_t* bytes_of(A* row) { return reinterpret_cast<std::uint8_t*>(row); }
  static const std::uint8_t* bytes_of(const A* row) {
    return reinterpret_cast<const std::uint8_t*>(row);
  }
  A* operand_at(int phase, index step) const {
    return own_.recurrent[phase] + history_.state_row_of(step) * own_.row;
  }
  float* scales_of(const Share& share) const { return own_.scales + share.id * own_.scale_row; }

  const ForwardCall<float>& call_;
  const History<Shape, float>& history_;
  const ForwardRows& rows_;
  const Operands<Shape, W8>& own_;
};

}  // namespace
}  // namespace rnnfast
